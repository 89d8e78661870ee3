#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/alerting/engine.hpp"
#include "collector/ingest/recorder.hpp"
#include "collector/tsdb/head.hpp"
#include "common/base/thread_annotations.hpp"
#include "common/telemetry/metrics.hpp"

namespace ward::collector {

/// Joins the journal's series numbers to the head's and remembers which metrics arrived, for evaluation on arrival.
/// A journal's id n is the head's ref n + 1. Thread: any.
class HeadSink final : public SampleSink, public RuleOutput {
 public:
  HeadSink(Head& head, Catalogue& catalogue, telemetry::Registry& metrics);

  void define(SeriesId id, const Labels& labels) override;
  /// Nothing while it holds back.
  void append(std::span<const wire::IdSample> samples) override;
  /// Whether append() leaves what is committed to replayed(): the journal is still being read, and has it too.
  void hold_back(bool hold) { holds_back_.store(hold, std::memory_order_relaxed); }
  /// Who hears of each series, and of each sample that append() and write() put into the head. Before the first define();
  /// outlives this.
  void follow(SampleSink& follower) { follower_ = &follower; }
  /// Of series that define() has seen.
  void replayed(std::span<const RefSample> samples);
  /// The collector's own series (rules' results, self-metrics): into the head at once, into the journal by take_own().
  /// One whose labels are longer than kMaxLabelText is refused and counted.
  void write(Time at, std::span<const SeriesValue> series) override;
  /// Whether what write() takes is also kept for take_own(). Not at first.
  void keep_own(bool keep);
  /// The collector's own samples since the last call, for the journal.
  std::vector<wire::IdSample> take_own();
  /// Those of a commit that failed. Beyond some they are only in memory, and go to disk with the chunks.
  void keep_own_again(std::span<const wire::IdSample> samples);
  /// Names of metrics that got samples since the last call.
  std::vector<std::string> take_arrived();

 private:
  void count(const AppendCounts& counts);
  void count_refused(const char* reason, std::size_t samples);
  Head& head_;
  Catalogue& catalogue_;
  telemetry::Counter& stored_;
  telemetry::Registry& metrics_;
  SampleSink* follower_ = nullptr;
  std::atomic<bool> holds_back_{false};
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> name_ids_ WARD_GUARDED_BY(mutex_);
  std::vector<std::string> names_ WARD_GUARDED_BY(mutex_);
  std::vector<std::uint32_t> name_of_ WARD_GUARDED_BY(mutex_);  // by SeriesId
  std::vector<bool> arrived_ WARD_GUARDED_BY(mutex_);           // by name
  bool keeps_own_ WARD_GUARDED_BY(mutex_) = false;
  std::vector<wire::IdSample> own_ WARD_GUARDED_BY(mutex_);
};

}  // namespace ward::collector
