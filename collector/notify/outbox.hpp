#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "collector/event/state.hpp"
#include "collector/notify/outcome.hpp"
#include "common/base/planted.hpp"
#include "common/base/world.hpp"

namespace ward::collector {

struct OutboxStats {
  std::uint64_t delivered = 0;
  std::uint64_t retries = 0;
  std::uint64_t refused = 0;        ///< attempts that were refused for good
  std::uint64_t redirected = 0;     ///< went to the fallback receiver instead
  std::uint64_t doubled = 0;        ///< went to a second receiver because the first did not take them in time
  std::uint64_t unrefreshed = 0;    ///< repetitions for a receiver that forgets which it did not take
  std::uint64_t undeliverable = 0;  ///< Outbox::undeliverable() now
  friend bool operator==(const OutboxStats&, const OutboxStats&) = default;
};

/// The rows still to be delivered and what happens to them (facts: reliability section 4). It sends nothing and stores
/// nothing: rows are planned, committed by the caller, then accepted; only accepted rows are ever handed out. A failed
/// commit is repeated until it succeeds: planned rows wait for it. Per receiver and incident rows go in the order of their
/// planning, one at a time per receiver, and are retried for ever; only what wakes nobody is overtaken by what
/// comes after it, and then needless. A refusal sends a row to the fallback, and a page that
/// waits too long goes there as well (overdue()); where no other is left, the last receiver is asked again every
/// `longest_wait`, because a token or an address can be mended and a page that was given up cannot. Thread: one at a time.
class Outbox {
 public:
  struct Options {
    std::map<std::string, std::string> fallbacks;  ///< receiver -> who takes over when it refuses for good
    std::string last_resort{};  ///< takes over for receivers that `fallbacks` does not name, such as removed ones; "" = none
    milliseconds first_wait{1'000};
    milliseconds longest_wait{60'000};
    milliseconds longest_retry_after{std::chrono::minutes{10}};  ///< a receiver may not silence itself for longer
    /// What everybody refuses is tried while its incident is open, and at least so long; then it is given up.
    milliseconds keep_refused{std::chrono::hours{24}};
    /// A page (class urgent or executive) that is not delivered in this time goes to the fallback too; 0 = never.
    milliseconds second_channel_after{std::chrono::seconds{60}};
    /// Receiver -> how often the last message of an open incident is said again (Channel::refresh()).
    std::map<std::string, milliseconds> refresh{};
  };
  /// `random` must outlive it.
  Outbox(Options options, Random& random) : options_(std::move(options)), random_(random) {}

  /// Other receivers take over from now on.
  void use_fallbacks(std::map<std::string, std::string> fallbacks, std::string last_resort) {
    options_.fallbacks = std::move(fallbacks);
    options_.last_resort = std::move(last_resort);
    if (planted(Planted::drop_on_reload))
      for (auto& entry : rows_) entry.committed = false;
  }

  /// The rows to commit for these deliveries. Known keys are left out; what a receiver that refused for good should get
  /// goes to its fallback.
  std::vector<DeliveryRow> plan(std::span<const Delivery> deliveries, Time now);
  /// These rows are committed: planned ones, or those of the store after a restart.
  void accept(std::span<const DeliveryRow> rows);

  /// The rows to commit for pages that their receiver has not taken in time: their fallback hears of them as well, the
  /// receiver still does when it can, and both hear of the end.
  std::vector<DeliveryRow> overdue(MonoTime mono, Time now);

  /// Rows to send now; each stays out until on_result() tells of it. Delivered ones come again where a receiver forgets.
  [[nodiscard]] std::vector<Delivery> due(MonoTime now);

  /// What to commit after an attempt: `updates` of known rows, and `added` rows for a fallback, to be accepted when
  /// committed.
  struct Change {
    std::vector<DeliveryRow> updates;
    std::vector<DeliveryRow> added;
    friend bool operator==(const Change&, const Change&) = default;
  };
  /// Of a repetition nothing is committed: the change is empty.
  Change on_result(const std::string& key, const SendOutcome& outcome, MonoTime mono, Time now);

  /// Which attempt the next one of this row is, from 1, and what its channel kept of the incident.
  struct Attempt {
    std::uint32_t number = 1;
    std::string remembered;
  };
  [[nodiscard]] Attempt attempt_of(const std::string& key) const;

  /// When after `now` due() may yield more without another event; nullopt when nothing waits for time.
  [[nodiscard]] std::optional<MonoTime> next_wake(MonoTime now) const;
  /// created_at of the oldest row still to be delivered; an end that everybody refuses is no stalled outbox.
  [[nodiscard]] std::optional<Time> oldest_pending() const;
  [[nodiscard]] std::size_t pending() const;
  /// Pages that every receiver has refused so far and nobody has got: somebody must look. Ends of incidents do not count.
  [[nodiscard]] std::size_t undeliverable() const;
  [[nodiscard]] OutboxStats stats() const;

 private:
  struct Entry {
    DeliveryRow row;
    MonoTime not_before{};
    bool sending = false;
    bool committed = false;
    bool refused_by_all = false;            ///< as of its last attempt
    bool doubled = false;                   ///< a second receiver has been looked for
    std::optional<MonoTime> waits_since{};  ///< seen open first; set by overdue()
  };
  using Rows = std::list<Entry>;

  [[nodiscard]] std::vector<std::string> targets(const Delivery& delivery) const;
  [[nodiscard]] bool replaced_by_mistake(const Delivery& delivery);
  void put(DeliveryRow row);
  /// Whether `receiver` stood told of the incident at the place of `row` in the list, or hears of it again after it.
  [[nodiscard]] bool knows(const std::string& receiver, const DeliveryRow& row) const;
  [[nodiscard]] bool refuses(const std::string& incident, const std::string& receiver) const;
  [[nodiscard]] bool owes_end(const std::string& incident, const std::string& receiver) const;
  [[nodiscard]] std::optional<std::string> replacement(const std::string& incident, const std::string& receiver) const;
  [[nodiscard]] std::optional<DeliveryRow> redirected(const DeliveryRow& row, const std::string& to, Time now) const;
  [[nodiscard]] std::vector<Entry*> last_words();
  [[nodiscard]] std::map<std::pair<std::string, std::string>, std::size_t> last_open_words() const;
  [[nodiscard]] bool is_overdue(const Entry& entry, MonoTime mono, Time now) const;
  [[nodiscard]] std::optional<DeliveryRow> second(const DeliveryRow& row, Time now) const;
  [[nodiscard]] milliseconds refresh_of(const std::string& receiver) const;
  void on_repetition(Entry& entry, const SendOutcome& outcome, MonoTime mono);
  void supersede_news(const Entry& told, Change& change, Time now);
  void refuse(Entry& entry, Change& change, MonoTime mono, Time now);
  void hand_over(Entry& entry, const std::string& to, Change& change, Time now);
  [[nodiscard]] bool may_give_up(const DeliveryRow& row, Time now) const;
  void drop_finished(const std::string& incident);
  [[nodiscard]] milliseconds wait_before(std::uint32_t attempts, milliseconds wish);

  Options options_;
  Random& random_;
  Rows rows_;  ///< oldest first; finished ones stay while their incident has more to come
  std::map<std::string, Rows::iterator> by_key_;
  OutboxStats stats_;
};

}  // namespace ward::collector
