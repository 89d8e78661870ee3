#include "collector/remote_write/batch.hpp"

#include <algorithm>
#include <utility>

#include "common/base/duration.hpp"
#include "common/wire/collector_session.hpp"

namespace ward::collector {
namespace {

class Records {
 public:
  void add(SeriesId id, const Sample& sample) {
    if (all_.empty() || all_.back().samples.size() == kSamplesPerRecord) {
      wire::Record fresh;
      fresh.t_min = fresh.t_max = sample.t;
      fresh.samples.reserve(std::min(left_, kSamplesPerRecord));
      all_.push_back(std::move(fresh));
    }
    auto& record = all_.back();
    record.t_min = std::min(record.t_min, sample.t);
    record.t_max = std::max(record.t_max, sample.t);
    record.samples.push_back({id, sample.t, sample.v});
    --left_;
  }
  explicit Records(std::size_t samples) : left_(samples) {}
  std::vector<wire::Record> take() { return std::move(all_); }

 private:
  std::size_t left_;  // at most
  std::vector<wire::Record> all_;
};

std::string_view name_of(std::span<const LabelView> labels) {
  for (const auto& [name, value] : labels)
    if (name == kNameLabel) return value;
  return {};
}

/// Judges the samples of one series, each by the newest before it.
class Order {
 public:
  Order(const SampleJudge& judge, const TenantSeries& known, SeriesId id, RemoteWriteBatch& out)
      : judge_(judge), known_(known), id_(id), newest_(judge.newest ? judge.newest(id) : std::nullopt), out_(out) {}

  bool takes(const Sample& sample) {
    if (judge_.latest && sample.t > *judge_.latest)
      return refuse(out_.ahead, sample, "it is more than a day ahead of the collector's clock");
    if (!newest_ || sample.t > newest_->t) {
      if (judge_.newest) newest_ = sample;
      return true;
    }
    if (sample.t == newest_->t) {
      // The same once more is what a sender does that did not hear the answer.
      if (sample == *newest_) return true;
      return refuse(out_.conflicting, sample, "there is another value at its time");
    }
    std::int64_t behind = 0;
    if (!__builtin_sub_overflow(to_ms(newest_->t), to_ms(sample.t), &behind) && behind <= judge_.out_of_order.count())
      return true;
    return refuse(out_.too_old, sample,
                  "it is more than " + format_duration(judge_.out_of_order) + " behind the newest of its series, " +
                      format_time(newest_->t) + " (remote_write_receiver.out_of_order_window)");
  }

 private:
  bool refuse(std::uint64_t& count, const Sample& sample, const std::string& why) {
    ++count;
    if (out_.first_late.empty())
      out_.first_late = "a sample of " + known_.metric(id_) + " at " + format_time(sample.t) + " is not taken: " + why;
    return false;
  }
  const SampleJudge& judge_;
  const TenantSeries& known_;
  SeriesId id_;
  std::optional<Sample> newest_;
  RemoteWriteBatch& out_;
};

}  // namespace

RemoteWriteBatch make_batch(const remote_write::WriteRequest& request, TenantSeries& known, const SampleJudge& judge) {
  RemoteWriteBatch out;
  Records records(request.samples.size());
  for (const auto& series : request.series) {
    const auto samples = request.samples_of(series);
    if (samples.empty()) continue;
    auto id = series.known;
    if (id == remote_write::Series::kUnknown) {
      const auto labels = request.labels_of(series);
      id = known.resolve(labels);
      if (id == wire::kRefusedSeries) {
        ++out.capped_series;
        out.capped_samples += samples.size();
        (void)out.capped.add(name_of(labels), 1);
        continue;
      }
    }
    Order order(judge, known, id, out);
    for (const auto& sample : samples) {
      if (!order.takes(sample)) continue;
      records.add(id, sample);
      ++out.samples;
    }
  }
  out.batch.records = records.take();
  out.batch.refused = out.capped_samples;
  out.batch.lease = known.lease();
  return out;
}

}  // namespace ward::collector
