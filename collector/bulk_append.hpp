#pragma once
#include <array>
#include <future>
#include <span>
#include <vector>

#include "collector/head_sink.hpp"

namespace ward::collector {

/// Appends many samples of many series to the head, beside what its caller does next. Thread: the one that owns it.
class BulkAppend {
 public:
  explicit BulkAppend(HeadSink& sink) : sink_(sink) {}

  /// Waits for the samples of the last call, not for these. Each series keeps its order.
  void append(std::span<const wire::IdSample> samples);
  /// Waits for all of them.
  void finish();

 private:
  static constexpr std::size_t kThreads = 2;
  using Dealt = std::array<std::vector<RefSample>, kThreads>;
  static Dealt deal(std::span<const wire::IdSample> samples);

  HeadSink& sink_;
  std::array<std::future<void>, kThreads> running_;
};

}  // namespace ward::collector
