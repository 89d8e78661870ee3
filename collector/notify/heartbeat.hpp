#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace ward::collector {

/// The dead man's switch: an outside service pages when it stops. It beats only while evaluation, ingest and outbox get
/// on and messages get out; so the silence of any of them is heard outside (facts: reliability, section 4).
/// Thread: one at a time.
class Heartbeat {
 public:
  enum class Stage : std::uint8_t { evaluation, ingest, outbox };

  struct Options {
    milliseconds interval{30'000};
    milliseconds stale_after{60'000};                      ///< a stage without progress for this long is dead
    milliseconds max_outbox_age{std::chrono::minutes{5}};  ///< an older message means that nobody is reached
    friend bool operator==(const Options&, const Options&) = default;
  };

  /// What goes out with a beat.
  struct Figures {
    Time last_tick;  ///< last evaluated
    std::optional<milliseconds> outbox_oldest_age;
    std::uint64_t stored_samples = 0;
    friend bool operator==(const Figures&, const Figures&) = default;
  };

  explicit Heartbeat(Options options) : options_(options) {}

  void progress(Stage stage, MonoTime now) { seen_[static_cast<std::size_t>(stage)] = now; }
  /// The body of a beat that is due; an error says which stage stands still, and counts as missed.
  Result<std::string> beat(MonoTime now, const Figures& figures);
  /// A beat that did not get out counts as missed too.
  void not_delivered() { ++missed_; }

  [[nodiscard]] std::uint64_t missed() const { return missed_; }
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  Options options_;
  std::array<std::optional<MonoTime>, 3> seen_;
  std::uint64_t missed_ = 0;
};

std::string_view to_string(Heartbeat::Stage stage);

}  // namespace ward::collector
