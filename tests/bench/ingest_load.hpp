#pragma once
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/bench/ingest_data.hpp"

namespace ward::bench {

struct LoadOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::size_t connections = 4;
  std::size_t series = 25'000;
  std::size_t per_request = 500;     ///< samples of a request, or of a record
  std::size_t warm_rounds = 2;       ///< samples of each series before the measured ones: they make the series
  std::size_t samples = 5'000'000;   ///< measured ones at most...
  std::chrono::seconds seconds{30};  ///< ...and for so long at most
};

/// What one connection did between the two marks.
struct LoadCounts {
  std::uint64_t samples = 0;  ///< taken: answered with 204, or acknowledged
  std::uint64_t requests = 0;
  std::uint64_t sent_bytes = 0;
};

/// All connections begin to be measured together, when all have made their series, and end by the same clock.
class Marks {
 public:
  explicit Marks(const LoadOptions& options)
      : seconds_(options.seconds), gate_(static_cast<std::ptrdiff_t>(options.connections) + 1) {}
  /// Called by each connection and by the one that reads the figures; returns when all have.
  void meet() { gate_.arrive_and_wait(); }
  void start() { deadline_ = std::chrono::steady_clock::now() + seconds_; }
  [[nodiscard]] bool over() const { return std::chrono::steady_clock::now() >= deadline_; }

 private:
  std::chrono::seconds seconds_;
  std::barrier<> gate_;
  std::chrono::steady_clock::time_point deadline_{};
};

/// A connected socket with TCP_NODELAY; ends the program with a sentence when there is none.
int connect_to(const LoadOptions& options);
void send_all(int socket, const void* bytes, std::size_t size);
[[noreturn]] void give_up(const std::string& why);

/// One sender of remote write 1.0: makes all its bodies, meets twice (prepared and warm, then measured), and waits for each
/// answer before the next request, as a shard of Prometheus does.
LoadCounts write_remotely(const LoadOptions& options, const IngestData& data, std::size_t connection, Marks& marks);
/// One agent with the program's own session code over plain TCP: as much under way as the collector's credit allows. Counts
/// what was acknowledged. Meets as write_remotely() does.
LoadCounts stream_records(const LoadOptions& options, const IngestData& data, std::size_t connection, Marks& marks);

}  // namespace ward::bench
