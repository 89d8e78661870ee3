#pragma once
#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.hpp"
#include "common/base/thread_annotations.hpp"
#include "common/base/time.hpp"
#include "common/base/world.hpp"

namespace ward::telemetry {

/// By who must act: error = an operator, warn = degraded but safe, info = lifecycle, debug = per connection.
/// Configurations name them in this order: choice("level", {"debug", "info", "warn", "error"}, 1).
enum class LogLevel : std::uint8_t { debug, info, warn, error };
std::string_view to_string(LogLevel level);
Result<LogLevel> parse_log_level(std::string_view name);

enum class LogFormat : std::uint8_t { json, text };

/// One key=value behind a sentence. It refers to its text: build it in the call. There is no constructor from a Secret.
class Field {
 public:
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  Field(std::string_view key, std::string_view value) : key_(key), value_(value) {}
  Field(std::string_view key, const char* value) : key_(key), value_(std::string_view{value}) {}
  Field(std::string_view key, bool value) : key_(key), value_(value) {}
  Field(std::string_view key, std::floating_point auto value) : key_(key), value_(static_cast<double>(value)) {}
  Field(std::string_view key, std::signed_integral auto value) : key_(key), value_(static_cast<std::int64_t>(value)) {}
  Field(std::string_view key, std::unsigned_integral auto value) : key_(key), value_(static_cast<std::uint64_t>(value)) {}

  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] const Value& value() const { return value_; }

 private:
  std::string_view key_;
  Value value_;
};
using Fields = std::initializer_list<Field>;

/// Where finished lines go. `line` ends with '\n'. The Logger calls it from one thread at a time.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(std::string_view line) = 0;
};
/// One write(2) a line, so that lines of several threads and processes do not mix. A full pipe blocks; errors are ignored.
std::unique_ptr<LogSink> make_stderr_sink();

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::json;
  /// How often one sentence may be written in each window; 0 = no limit. The rest is counted and told afterwards.
  std::uint32_t burst = 20;
  milliseconds window{10'000};
};

/// Writes sentences with fields as single lines. Sentences are fixed text: what varies goes into fields, because the
/// repeat limit counts by level and sentence. Control characters and text-direction marks are escaped, each value is cut
/// at 4 KiB, invalid UTF-8 becomes U+FFFD. Threads: any.
class Logger {
 public:
  /// `clock` and `sink` outlive the logger.
  Logger(LogSettings settings, const Clock& clock, LogSink& sink);
  /// Tells what was left out and not told yet.
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void error(std::string_view sentence, Fields fields = {}) { log(LogLevel::error, sentence, fields); }
  void warn(std::string_view sentence, Fields fields = {}) { log(LogLevel::warn, sentence, fields); }
  void info(std::string_view sentence, Fields fields = {}) { log(LogLevel::info, sentence, fields); }
  void debug(std::string_view sentence, Fields fields = {}) { log(LogLevel::debug, sentence, fields); }
  void log(LogLevel level, std::string_view sentence, Fields fields);

  [[nodiscard]] bool enabled(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }

  /// Lines written at a level, and lines left out by the repeat limit, since the start: for metrics.
  [[nodiscard]] std::uint64_t written(LogLevel level) const;
  [[nodiscard]] std::uint64_t suppressed() const { return suppressed_.load(std::memory_order_relaxed); }

 private:
  struct Repeats {
    MonoTime window_end;
    std::uint32_t written = 0;
    std::uint64_t left_out = 0;
  };
  using Key = std::pair<LogLevel, std::string>;
  struct KeyLess {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.first != b.first ? a.first < b.first : std::string_view{a.second} < std::string_view{b.second};
    }
  };

  [[nodiscard]] bool admit(LogLevel level, std::string_view sentence, MonoTime now);
  void tell_left_out(const Key& key, Repeats& repeats);
  void sweep(MonoTime now);
  void write(LogLevel level, std::string_view sentence, Fields fields);

  const LogSettings settings_;
  const Clock& clock_;
  LogSink& sink_;
  std::atomic<LogLevel> level_;
  std::array<std::atomic<std::uint64_t>, 4> written_{};
  std::atomic<std::uint64_t> suppressed_{0};
  std::mutex mutex_;
  std::map<Key, Repeats, KeyLess> repeats_ WARD_GUARDED_BY(mutex_);
  MonoTime next_sweep_ WARD_GUARDED_BY(mutex_);
};

}  // namespace ward::telemetry
