#include "collector/notify/heartbeat.hpp"

#include <nlohmann/json.hpp>

#include "common/base/duration.hpp"

namespace ward::collector {

std::string_view to_string(Heartbeat::Stage stage) {
  switch (stage) {
    case Heartbeat::Stage::evaluation: return "evaluation";
    case Heartbeat::Stage::ingest: return "ingest";
    case Heartbeat::Stage::outbox: return "outbox";
  }
  return "evaluation";
}

Result<std::string> Heartbeat::beat(MonoTime now, const Figures& figures) {
  for (const auto stage : {Stage::evaluation, Stage::ingest, Stage::outbox}) {
    const auto& seen = seen_[static_cast<std::size_t>(stage)];
    if (seen && now - *seen <= options_.stale_after) continue;
    ++missed_;
    return fail(Errc::unavailable,
                "heartbeat withheld: " + std::string(to_string(stage)) +
                    (seen ? " has made no progress for " + format_duration(options_.stale_after) : " has not begun"),
                "Look for the cause in the collector's log; the outside watchdog will page until it is mended.");
  }
  if (figures.outbox_oldest_age && *figures.outbox_oldest_age > options_.max_outbox_age) {
    ++missed_;
    return fail(Errc::unavailable,
                "heartbeat withheld: a message has waited longer than " + format_duration(options_.max_outbox_age),
                "Mend the receiver that does not take it; its last error is in the outbox row.");
  }
  const auto age = figures.outbox_oldest_age.value_or(milliseconds{0});
  return nlohmann::json{{"kind", "ward_heartbeat"},
                        {"last_tick", format_time(figures.last_tick)},
                        {"outbox_oldest_age_seconds", to_seconds(age)},
                        {"stored_samples", figures.stored_samples}}
      .dump();
}

}  // namespace ward::collector
