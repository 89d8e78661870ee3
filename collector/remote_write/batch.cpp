#include "collector/remote_write/batch.hpp"

#include <algorithm>
#include <utility>

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

}  // namespace

RemoteWriteBatch make_batch(const remote_write::WriteRequest& request, TenantSeries& known) {
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
    for (const auto& sample : samples) records.add(id, sample);
    out.samples += samples.size();
  }
  out.batch.records = records.take();
  out.batch.refused = out.capped_samples;
  out.batch.lease = known.lease();
  return out;
}

}  // namespace ward::collector
