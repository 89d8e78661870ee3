#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "collector/rehearsal/backtest.hpp"
#include "collector/tsdb/chunk.hpp"

namespace ward::collector::test {

/// Chunks of half an hour each, handed over as StoredDays does it.
class FakeSource final : public SampleSource {
 public:
  /// `value`, growing by `step` with each sample.
  void add(const Labels& labels, Time from, Time to, milliseconds every, double value, double step = 0) {
    constexpr milliseconds kPiece = std::chrono::minutes{30};
    for (Time hour = from; hour < to; hour += kPiece) {
      Chunk chunk{labels, {}};
      for (Time t = hour; t < std::min(to, hour + kPiece); t += every) {
        chunk.samples.push_back({t, value});
        value += step;
      }
      chunks_.push_back(std::move(chunk));
    }
  }
  Status open(Time from, std::function<bool(const Labels&)> wanted) override {
    from_ = from;
    wanted_ = std::move(wanted);
    std::stable_sort(chunks_.begin(), chunks_.end(),
                     [](const auto& a, const auto& b) { return a.samples.front().t < b.samples.front().t; });
    next_ = 0;
    return {};
  }
  Status load(Time until, const Take& take) override {
    if (broken_at_ != Time{} && until > broken_at_) return fail(Errc::corrupt, "the disk is gone", "Mend it.");
    for (; next_ < chunks_.size() && chunks_[next_].samples.front().t < until; ++next_) {
      const auto& chunk = chunks_[next_];
      if (chunk.samples.back().t < from_ || !wanted_(chunk.labels)) continue;
      take(chunk.labels, encode_chunk(chunk.samples), chunk.samples);
      taken.push_back(std::string(chunk.labels.name()));
    }
    return {};
  }
  void break_at(Time t) { broken_at_ = t; }
  std::vector<std::string> taken;

 private:
  struct Chunk {
    Labels labels;
    std::vector<Sample> samples;
  };
  std::vector<Chunk> chunks_;
  std::size_t next_ = 0;
  Time from_;
  Time broken_at_;
  std::function<bool(const Labels&)> wanted_;
};

}  // namespace ward::collector::test
