#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/wire/frame.hpp"

namespace ward::wire {

/// What a session needs of the spool, for one collector. The spool implements it (agent/spool).
class RecordSource {
 public:
  using Item = std::variant<Record, Gap>;
  virtual ~RecordSource() = default;
  /// Streams this collector has not wholly acknowledged, oldest first, at most kMaxStreams; the live ones always.
  [[nodiscard]] virtual std::vector<HelloStream> streams() const = 0;
  /// The record with sequence `from`, or a gap that begins at `from`; nullopt when nothing is there yet.
  virtual Result<std::optional<Item>> read(const HelloStream& stream, Sequence from) = 0;
  /// Labels of a series id that a record from read() uses.
  [[nodiscard]] virtual const Labels& series(std::uint32_t id) const = 0;
  /// The collector holds everything up to `durable` for good.
  virtual Status on_durable(const HelloStream& stream, Sequence durable) = 0;
  /// The collector will never take this record: set it aside and put a gap in its place.
  virtual Status reject(const HelloStream& stream, Sequence seq) = 0;
};

/// The agent's end of one connection to one collector: bytes in, bytes out, no I/O, no clock of its own. Live streams go
/// before old ones, which may use at most half of the credit. An error ends the session: drop the connection, back off,
/// start a new one. Errc::cancelled says that nothing is wrong and a new session goes on. Thread: the agent's io thread.
class AgentSession {
 public:
  struct Options {
    AgentId agent;
    std::string software = "ward";
    std::uint64_t config_hash = 0;
    std::vector<MetaEntry> metrics;  ///< what META says after WELCOME...
    std::uint64_t described_to = 0;  ///< ...unless the collector is still in this life: it has heard it; 0 = none has
    milliseconds ping_every{2'000};
    milliseconds silence_limit{6'000};      ///< three missed PONGs: the collector is gone
    milliseconds welcome_limit{10'000};     ///< it answers PINGs and does not welcome us
    std::size_t output_target = 256 << 10;  ///< pump() stops here until take_output()
    std::size_t max_series = kMaxSessionSeries;
  };
  struct Stats {
    std::uint64_t records = 0, samples = 0, record_bytes = 0, series = 0, gaps = 0;
  };

  AgentSession(Options options, RecordSource& source, MonoTime now);
  AgentSession(const AgentSession&) = delete;
  AgentSession& operator=(const AgentSession&) = delete;

  Status on_bytes(ByteView bytes, MonoTime now, Time wall);
  /// Sends what the credit allows. Call when records arrived, after on_bytes() and after take_output().
  Status pump();
  /// PINGs and time limits; call at least every ping_every / 2.
  Status tick(MonoTime now, Time wall);
  /// More for META, once the session is open, or now.
  void describe_metrics(std::vector<MetaEntry> entries);

  [[nodiscard]] bool has_output() const { return !out_.empty(); }
  [[nodiscard]] Buffer take_output() { return std::exchange(out_, {}); }
  [[nodiscard]] bool open() const { return open_; }
  /// The collector asked to close (planned restart).
  [[nodiscard]] const std::optional<std::string>& goaway() const { return goaway_; }
  [[nodiscard]] const Stats& stats() const { return stats_; }
  /// The collector's life when it has surely received all of META, else 0; for the options of the next session.
  [[nodiscard]] std::uint64_t described_to() const { return described_to_; }
  /// Collector's wall clock minus ours, from the last PONG (half the round trip is its error).
  [[nodiscard]] std::optional<milliseconds> clock_offset() const { return clock_offset_; }

 private:
  struct Outgoing {
    HelloStream hello;
    Sequence next_to_send;
    Sequence last;                                           // the highest sequence the agent is known to have had
    std::deque<std::pair<Sequence, std::size_t>> in_flight;  // last sequence of a frame, its bytes
    std::size_t in_flight_bytes = 0;
    std::vector<std::uint32_t> places;  // by the source's series id: place in this session's dictionary plus 1; 0 = none
    std::uint32_t defined = 0;
    SampleEncoder encoder;
  };

  Status on_frame(Frame frame, MonoTime now, Time wall);
  void send_descriptions(std::vector<MetaEntry> entries);
  Status on_welcome(const Welcome& welcome);
  Status on_ack(const Ack& ack);
  Status on_nack(const Nack& nack);
  Result<bool> send_next(std::size_t index);
  Status send_record(std::size_t index, const Record& record);
  void send_gap(std::size_t index, const Gap& gap);
  Status define_series(std::size_t index, const Record& record);
  [[nodiscard]] std::vector<IdSample> by_place(const Outgoing& stream, const Record& record) const;
  void account(Outgoing& stream, Sequence last, std::size_t bytes);

  Options options_;
  RecordSource& source_;
  FrameReader reader_{kMaxFrameBytes};
  Buffer out_;
  std::vector<Outgoing> streams_;
  std::vector<MetaEntry> news_;  // for META, since the session began
  bool open_ = false;
  std::uint64_t life_ = 0;
  std::uint64_t described_to_ = 0;
  std::uint64_t pings_before_meta_ = 0;
  std::uint64_t credit_limit_ = 0;
  std::size_t defined_ = 0;  // in all streams
  std::size_t in_flight_ = 0;
  std::size_t backlog_in_flight_ = 0;
  MonoTime started_;
  MonoTime heard_;
  MonoTime pinged_;
  std::uint64_t ping_id_ = 0;
  std::optional<milliseconds> clock_offset_;
  std::optional<std::string> goaway_;
  Stats stats_;
};

}  // namespace ward::wire
