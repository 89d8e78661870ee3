#include "common/telemetry/log.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include "common/telemetry/log_format.hpp"

namespace ward::telemetry {
namespace {

/// Distinct sentences remembered at once; sentences are constants of the source, so this is a bound and not a budget.
constexpr std::size_t kMaxSentences = 1024;

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warn", "error"};

class StderrSink final : public LogSink {
 public:
  void write(std::string_view line) override {
    while (!line.empty()) {
      const auto n = ::write(STDERR_FILENO, line.data(), line.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      line.remove_prefix(static_cast<std::size_t>(n));
    }
  }
};

std::size_t index(LogLevel level) { return static_cast<std::size_t>(level); }

}  // namespace

std::string_view to_string(LogLevel level) { return kLevelNames.at(index(level)); }

Result<LogLevel> parse_log_level(std::string_view name) {
  const auto* at = std::find(kLevelNames.begin(), kLevelNames.end(), name);
  if (at == kLevelNames.end())
    return fail(Errc::invalid, "'" + std::string(name) + "' is not a log level", "Choose debug, info, warn or error.");
  return static_cast<LogLevel>(at - kLevelNames.begin());
}

std::unique_ptr<LogSink> make_stderr_sink() { return std::make_unique<StderrSink>(); }

Logger::Logger(LogSettings settings, const Clock& clock, LogSink& sink)
    : settings_(settings), clock_(clock), sink_(sink), level_(settings.level), next_sweep_(clock.mono() + settings.window) {}

Logger::~Logger() {
  const std::scoped_lock lock(mutex_);
  for (auto& [key, repeats] : repeats_) tell_left_out(key, repeats);
}

void Logger::log(LogLevel level, std::string_view sentence, Fields fields) {
  if (!enabled(level)) return;
  const std::scoped_lock lock(mutex_);
  if (settings_.burst > 0 && !admit(level, sentence, clock_.mono())) return;
  write(level, sentence, fields);
}

std::uint64_t Logger::written(LogLevel level) const { return written_[index(level)].load(std::memory_order_relaxed); }

bool Logger::admit(LogLevel level, std::string_view sentence, MonoTime now) {
  if (now >= next_sweep_ || repeats_.size() >= kMaxSentences) sweep(now);
  auto entry = repeats_.find(std::pair{level, sentence});
  if (entry == repeats_.end()) entry = repeats_.emplace(Key{level, sentence}, Repeats{now + settings_.window, 0, 0}).first;
  auto& repeats = entry->second;
  if (now >= repeats.window_end) {
    tell_left_out(entry->first, repeats);
    repeats = Repeats{now + settings_.window, 0, 0};
  }
  if (repeats.written < settings_.burst) {
    ++repeats.written;
    return true;
  }
  ++repeats.left_out;
  suppressed_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void Logger::tell_left_out(const Key& key, Repeats& repeats) {
  if (repeats.left_out == 0) return;
  write(key.first, "Repeated lines were left out", {{"sentence", key.second}, {"left_out", repeats.left_out}});
  repeats.left_out = 0;
}

/// Forgets sentences whose window is over, and tells what they lost even if they never come again. When sentences vary
/// (which they should not), everything is forgotten: the limit may then let more through, memory stays bounded.
void Logger::sweep(MonoTime now) {
  const auto forget = [&](bool all) {
    for (auto at = repeats_.begin(); at != repeats_.end();) {
      if (!all && now < at->second.window_end) {
        ++at;
        continue;
      }
      tell_left_out(at->first, at->second);
      at = repeats_.erase(at);
    }
  };
  forget(false);
  if (repeats_.size() >= kMaxSentences) forget(true);
  next_sweep_ = now + settings_.window;
}

void Logger::write(LogLevel level, std::string_view sentence, Fields fields) {
  sink_.write(format_line(settings_.format, clock_.wall(), level, sentence, fields));
  written_[index(level)].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace ward::telemetry
