#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/time.hpp"

namespace ward::sim::paging {

enum class Kind : std::uint8_t { fire, escalate, update, acknowledge, resolve };
enum class RowState : std::uint8_t { pending, delivered, given_up };

/// A message as it was stored, in the simulator's own words.
struct Row {
  std::string key;
  std::string incident;
  std::string receiver;
  Kind kind = Kind::fire;
  int cls = 0;
  std::string owner;
  std::string root;  ///< id of a signal
  std::uint32_t reopened = 0;
  std::string why;
  Time at;
  RowState state = RowState::pending;
  /// Whether its cause has an escalation of its own.
  [[nodiscard]] bool plan() const { return root.starts_with("PgDown"); }
};

/// An open incident as the collector shows it.
struct Claim {
  std::string id;
  int cls = 0;
  std::string owner;
  std::string root;
  std::uint32_t reopened = 0;
  std::set<std::string> firing;   ///< ids of signals
  std::set<std::string> members;  ///< those that are over included
};

/// What the world outside lets the collector do in this moment.
struct Weather {
  bool up = true;         ///< runs
  bool stores = true;     ///< its disk takes what it is given
  bool evaluates = true;  ///< runs, and rules see their series
  bool reaches = true;    ///< every receiver takes what it gets
};

/// Knows what is broken, what was stored, what receivers took and what people asked for, and judges by that alone whether
/// anybody was told too little, too much, too early or in the wrong order (facts: reliability 4.2, P1 to P8). It shares no
/// code with what it judges: of the collector's own words it uses only which alerts an incident claims to hold.
class PagingOracle {
 public:
  PagingOracle();

  void at(MonoTime now, Time wall);
  /// Wall time was set by somebody.
  void clock_stepped();

  // What the store has.
  void committed(const Row& row);
  void row_state(const std::string& key, RowState state);
  /// A commit went through: what alerting knew then survives.
  void commit_done();
  /// The process ended without a word.
  void crashed();
  /// What the next life has read.
  void restarted(const std::vector<Row>& rows);

  // What is sent and taken.
  void sending(const std::string& key, const std::string& receiver);
  void taken(const std::string& key, const std::string& receiver);
  /// It was taken, and the sender cannot know.
  void unsure(const std::string& key);

  /// What people asked for may be in force from then on; it is when they were told so.
  enum class Said : std::uint8_t { asked, done };
  void acknowledged(const std::string& incident, Said said);
  void unacknowledged(const std::string& incident, Said said);
  void silenced(const std::string& id, const std::string& alert, Time until, Said said);
  void silence_ended(const std::string& id, Said said);
  /// Those who may acknowledge: incidents of which somebody has a page and no end.
  [[nodiscard]] std::vector<std::string> open_pages() const;
  [[nodiscard]] std::vector<std::string> open_silences() const;

  /// These signals are broken from now on.
  void see(const std::vector<bool>& broken);
  /// Time has passed in this weather. `claims` of a collector that is up.
  void pass(milliseconds time, const Weather& weather, const std::vector<Claim>& claims);
  /// The dead man's switch.
  void beat();
  /// Everything was mended long ago.
  void check_end(const std::vector<Claim>& claims);

  void violation(const std::string& what);
  [[nodiscard]] const std::set<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::uint64_t trace() const { return trace_; }
  [[nodiscard]] std::size_t pages_taken() const { return pages_taken_; }

 private:
  struct Known {
    Row row;
    int taken = 0;
    int allowed = 1;
  };
  struct Fault {
    bool broken = false;
    MonoTime since{};      ///< broken or well since
    milliseconds seen{0};  ///< of that, under evaluation
    milliseconds seen_at_commit{0};
    MonoTime well_since{};  ///< last moment it was broken
  };
  /// What one receiver has before it of one incident.
  struct View {
    bool open = false;
    std::optional<std::uint32_t> ended;  ///< the newest episode whose end it took
    std::set<std::string> ends;          ///< keys of the ends of that episode
  };
  struct Ack {
    Time at;
    int cls = 0;
    std::string owner;
    std::uint32_t reopened = 0;
    bool plan = false;
  };
  struct Silence {
    std::string alert;
    Time from;
    Time until;
    bool sure = false;
  };
  enum class Sure : std::uint8_t { no, yes };
  struct Track {
    Claim claim;
    MonoTime since{};       ///< class, owner, cause and episode are as they are
    MonoTime calm_since{};  ///< nothing stood against telling it
    milliseconds over{0};   ///< evaluated while nothing of it was broken
    bool acknowledged = false;
  };

  void note(const std::string& what);
  [[nodiscard]] std::string seconds_in() const;
  void judge_page(const Row& row);
  void judge_early(const Row& row);
  void judge_next_level(const Row& row);
  void judge_order(const Row& row);
  void follow(const Claim& claim, milliseconds time, const Weather& weather);
  void judge_signals(const std::vector<Claim>& claims);
  void judge_told(const Track& track);
  void judge_levels(const Track& track);
  void judge_heartbeat(const Weather& weather);
  [[nodiscard]] bool is_silenced(const std::string& root, Time wall, Sure sure) const;
  [[nodiscard]] bool told(const Claim& claim, const std::set<std::string>& receivers) const;

  const bool tells_;  ///< WARD_SIM_TELL: writes what happens to standard error
  MonoTime begin_{};
  MonoTime now_{};
  Time wall_{};
  MonoTime stepped_at_{};
  std::map<std::string, Known> rows_;
  std::vector<Fault> faults_;
  std::map<std::pair<std::string, std::string>, View> views_;
  std::map<std::string, Ack> acks_;
  std::map<std::string, Silence> silences_;
  std::map<std::string, Track> tracks_;
  MonoTime fine_since_{};
  MonoTime beat_at_{};
  std::size_t pages_taken_ = 0;
  std::set<std::string> violated_;
  std::set<std::string> violations_;
  std::uint64_t trace_ = 14695981039346656037ULL;
};

}  // namespace ward::sim::paging
