#include "collector/tsdb/head.hpp"

#include <algorithm>
#include <limits>
#include <mutex>

#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

void count(AppendCounts& counts, SeriesSamples::Outcome outcome) {
  switch (outcome) {
    case SeriesSamples::Outcome::appended: ++counts.appended; return;
    case SeriesSamples::Outcome::late:
      ++counts.appended;
      ++counts.out_of_order;
      return;
    case SeriesSamples::Outcome::duplicate: ++counts.duplicate; return;
    case SeriesSamples::Outcome::conflicting: ++counts.conflicting; return;
    case SeriesSamples::Outcome::too_old: ++counts.too_old; return;
  }
}

}  // namespace

Head::Head(HeadOptions options) : options_(options), shards_(std::make_unique<std::array<Shard, kShards>>()) {}

Head::Series* Head::Shard::find(SeriesRef ref) const {
  const std::size_t at = ref.get() / kShards;
  return at < series.size() ? series[at].get() : nullptr;
}

void Head::insert(SeriesRef ref, const Labels& labels) {
  index_.add(ref, labels);
  auto& home = shard(ref);
  const std::unique_lock lock{home.mutex};
  const std::size_t at = ref.get() / kShards;
  if (at >= home.series.size()) home.series.resize(at + 1);
  home.series[at] = std::make_unique<Series>();
}

void Head::wake(SeriesRef ref) {
  const auto at = quiet_.find(ref);
  if (at == quiet_.end()) return;
  auto series = std::make_unique<Series>();
  series->last_day = at->second;
  quiet_.erase(at);
  auto& home = shard(ref);
  const std::unique_lock lock{home.mutex};
  home.series[ref.get() / kShards] = std::move(series);
}

SeriesRef Head::get_or_create(const Labels& labels) {
  {
    const std::shared_lock lock{index_mutex_};
    if (const auto ref = index_.find(labels); ref && !quiet_.contains(*ref)) return *ref;
  }
  const std::unique_lock lock{index_mutex_};
  if (const auto ref = index_.find(labels)) {
    wake(*ref);
    return *ref;
  }
  WARD_ASSERT(next_ref_ < std::numeric_limits<std::uint32_t>::max());
  const SeriesRef ref{next_ref_++};
  insert(ref, labels);
  return ref;
}

Status Head::restore(SeriesRef ref, const Labels& labels) {
  const std::unique_lock lock{index_mutex_};
  if (ref.get() == 0 || ref.get() == std::numeric_limits<std::uint32_t>::max())
    return fail(Errc::invalid, "series number " + std::to_string(ref.get()) + " cannot be restored",
                "Check the disk under data_dir; the journal there is damaged.");
  const auto known = index_.find(labels);
  if (known == ref) {
    wake(ref);
    return {};
  }
  if (known || index_.has(ref))
    return fail(Errc::invalid, "series number " + std::to_string(ref.get()) + " is stored for two label sets",
                "Check the disk under data_dir; the journal there is damaged.");
  insert(ref, labels);
  next_ref_ = std::max(next_ref_, ref.get() + 1);
  return {};
}

std::optional<SeriesRef> Head::find(const Labels& labels) const {
  const std::shared_lock lock{index_mutex_};
  return index_.find(labels);
}

bool Head::knows(SeriesRef ref) const {
  const std::shared_lock lock{index_mutex_};
  return index_.has(ref);
}

Labels Head::labels(SeriesRef ref) const {
  const std::shared_lock lock{index_mutex_};
  return index_.labels(ref);
}

std::string Head::label(SeriesRef ref, std::string_view name) const {
  const std::shared_lock lock{index_mutex_};
  return label_of(ref, name);
}

std::string Head::label_of(SeriesRef ref, std::string_view name) const {
  const auto* known = index_.table().find(name);
  if (known == nullptr) return {};
  for (const auto id : index_.row(ref)) {
    const auto& pair = index_.table().pair(id);
    if (pair.name_number == known->number) return *pair.value;
  }
  return {};
}

AppendCounts Head::append(std::span<const RefSample> samples) {
  // Counting sort by shard, so that each lock is taken once a batch and each series keeps its order.
  std::array<std::size_t, kShards + 1> start{};
  for (const auto& s : samples) ++start[s.series.get() % kShards + 1];
  for (std::size_t i = 1; i <= kShards; ++i) start[i] += start[i - 1];
  std::vector<const RefSample*> order(samples.size());
  auto fill = start;
  for (const auto& s : samples) order[fill[s.series.get() % kShards]++] = &s;

  AppendCounts counts;
  for (std::size_t n = 0; n < kShards; ++n) {
    if (start[n] == start[n + 1]) continue;
    auto& home = (*shards_)[n];
    const std::unique_lock lock{home.mutex};
    constexpr std::size_t kAtOnce = 16;
    std::array<Series*, kAtOnce> series{};
    for (std::size_t i = start[n]; i < start[n + 1]; i += kAtOnce) {
      const auto many = std::min(kAtOnce, start[n + 1] - i);
      for (std::size_t k = 0; k < many; ++k) prefetch(series[k] = home.find(order[i + k]->series));
      for (std::size_t k = 0; k < many; ++k)
        if (series[k] != nullptr) series[k]->samples.prefetch_end();
      for (std::size_t k = 0; k < many; ++k) {
        if (series[k] != nullptr)
          count(counts, series[k]->samples.append(order[i + k]->sample, options_.max_sample_age));
        else
          ++counts.unknown_series;
      }
    }
  }
  return counts;
}

std::optional<Sample> Head::last_sample(SeriesRef ref) const {
  const auto& home = shard(ref);
  const std::shared_lock lock{home.mutex};
  const auto* series = home.find(ref);
  if (series == nullptr || series->samples.empty()) return std::nullopt;
  return series->samples.last();
}

Result<std::vector<SeriesData>> Head::select(std::span<const Matcher> matchers, Time from, Time to) const {
  struct Found {
    Labels labels;
    SeriesSnapshot snapshot;
  };
  std::vector<Found> found;
  {
    const std::shared_lock index_lock{index_mutex_};
    auto refs = index_.match(matchers);
    index_.sort_by_labels(refs);
    std::array<std::shared_lock<std::shared_mutex>, kShards> locks;
    for (std::size_t n = 0; n < kShards; ++n) locks[n] = std::shared_lock{(*shards_)[n].mutex};
    for (const auto ref : refs) {
      const auto* series = shard(ref).find(ref);
      if (series == nullptr) continue;
      auto snapshot = series->samples.snapshot(from, to);
      if (!snapshot.empty()) found.push_back({index_.labels(ref), std::move(snapshot)});
    }
  }
  std::vector<SeriesData> out;
  out.reserve(found.size());
  for (auto& f : found) {
    auto samples = f.snapshot.read(from, to);
    if (!samples.empty()) out.push_back({std::move(f.labels), std::move(samples)});
    f.snapshot = {};
  }
  return out;
}

std::vector<Labels> Head::series(std::span<const Matcher> matchers) const {
  const std::shared_lock lock{index_mutex_};
  auto refs = index_.match(matchers);
  index_.sort_by_labels(refs);
  std::vector<Labels> out;
  out.reserve(refs.size());
  for (const auto ref : refs) out.push_back(index_.labels(ref));
  return out;
}

std::vector<std::string> Head::label_names() const {
  const std::shared_lock lock{index_mutex_};
  return index_.names();
}

std::vector<std::string> Head::label_values(std::string_view name) const {
  const std::shared_lock lock{index_mutex_};
  return index_.values(name);
}

std::vector<SeriesRef> Head::close() {
  std::vector<SeriesRef> out;
  for (std::size_t n = 0; n < kShards; ++n) {
    auto& home = (*shards_)[n];
    const std::unique_lock lock{home.mutex};
    for (std::size_t i = 0; i < home.series.size(); ++i) {
      if (!home.series[i]) continue;
      home.series[i]->samples.close();
      if (home.series[i]->samples.has_unkept()) out.emplace_back(static_cast<std::uint32_t>(i * kShards + n));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

void Head::take_unkept(SeriesRef ref, const std::function<void(const StoredChunk&)>& take) {
  auto& home = shard(ref);
  const std::unique_lock lock{home.mutex};
  if (auto* series = home.find(ref)) series->samples.take_unkept(take);
}

void Head::settle(std::span<const SeriesRef> refs, bool kept) {
  for (const auto ref : refs) {
    auto& home = shard(ref);
    const std::unique_lock lock{home.mutex};
    if (auto* series = home.find(ref)) series->samples.settle(kept);
  }
}

Status Head::load_chunk(const SealedChunk& chunk) {
  StoredChunk stored{chunk.t_min,
                     chunk.t_max,
                     std::make_unique_for_overwrite<std::uint8_t[]>(chunk.bytes.size()),
                     static_cast<std::uint32_t>(chunk.bytes.size()),
                     static_cast<std::uint16_t>(chunk.count),
                     Keep::kept};
  std::copy(chunk.bytes.begin(), chunk.bytes.end(), stored.data.get());
  auto& home = shard(chunk.series);
  const std::unique_lock lock{home.mutex};
  auto* series = home.find(chunk.series);
  if (series == nullptr)
    return fail(Errc::not_found,
                "a stored chunk names series " + std::to_string(chunk.series.get()) + ", which the store does not know",
                "Check the disk under data_dir; the journal there is damaged.");
  // Older ones are trusted to be what their checksum said: decoding a start's worth of them takes seconds.
  if (!series->samples.empty() && series->samples.last().t >= chunk.t_max) {
    series->samples.load(std::move(stored), series->samples.last());
    return {};
  }
  const auto samples = decode_chunk(chunk.bytes);
  if (!samples) return fail(samples.error());
  if (samples->empty() || samples->size() != chunk.count || samples->front().t != chunk.t_min ||
      samples->back().t != chunk.t_max)
    return fail(Errc::corrupt,
                "a stored chunk of series " + std::to_string(chunk.series.get()) + " differs from its own description",
                "Check the disk under data_dir; a stored day is damaged.");
  series->samples.load(std::move(stored), samples->back());
  return {};
}

std::optional<Day> Head::last_day(SeriesRef ref) const {
  const std::shared_lock index_lock{index_mutex_};
  if (const auto at = quiet_.find(ref); at != quiet_.end()) return at->second;
  const auto& home = shard(ref);
  const std::shared_lock lock{home.mutex};
  const auto* series = home.find(ref);
  return series != nullptr ? series->last_day : std::nullopt;
}

void Head::set_last_day(SeriesRef ref, Day day) {
  const std::unique_lock index_lock{index_mutex_};
  if (const auto at = quiet_.find(ref); at != quiet_.end()) {
    at->second = day;
    return;
  }
  auto& home = shard(ref);
  const std::unique_lock lock{home.mutex};
  if (auto* series = home.find(ref)) series->last_day = day;
}

std::vector<SeriesRef> Head::release(Time t, Time horizon) {
  std::vector<SeriesRef> empty;
  for (std::size_t n = 0; n < kShards; ++n) {
    auto& home = (*shards_)[n];
    const std::unique_lock lock{home.mutex};
    for (std::size_t i = 0; i < home.series.size(); ++i) {
      auto& series = home.series[i];
      if (!series) continue;
      const bool was_empty = series->samples.empty();
      series->samples.release(t);
      series->samples.drop_before(horizon);
      if (!series->samples.empty()) continue;
      // A series just made is empty until its first append: it is spared once.
      if (was_empty && !series->spared)
        series->spared = true;
      else
        empty.emplace_back(static_cast<std::uint32_t>(i * kShards + n));
    }
  }
  std::sort(empty.begin(), empty.end());
  std::vector<SeriesRef> quiet;
  const std::unique_lock index_lock{index_mutex_};
  for (const auto ref : empty) silence(ref, quiet);
  return quiet;
}

void Head::silence(SeriesRef ref, std::vector<SeriesRef>& quiet) {
  auto& home = shard(ref);
  const std::unique_lock lock{home.mutex};
  auto& series = home.series[ref.get() / kShards];
  if (!series || !series->samples.empty()) return;  // it spoke meanwhile
  quiet_.emplace(ref, series->last_day);
  series.reset();
  quiet.push_back(ref);
}

std::vector<SeriesRef> Head::forget(const std::function<bool(const std::string&, std::optional<Day>)>& gone) {
  std::vector<SeriesRef> out;
  const std::unique_lock lock{index_mutex_};
  for (const auto& [ref, day] : quiet_)
    if (gone(label_of(ref, "tenant"), day)) out.push_back(ref);
  for (const auto ref : out) quiet_.erase(ref);
  std::sort(out.begin(), out.end());
  index_.remove(out);
  return out;
}

HeadStats Head::stats() const {
  HeadStats stats;
  {
    const std::shared_lock lock{index_mutex_};
    stats.quiet = quiet_.size();
  }
  for (const auto& home : *shards_) {
    const std::shared_lock lock{home.mutex};
    for (const auto& series : home.series) {
      if (!series) continue;
      const auto size = series->samples.size();
      ++stats.series;
      stats.chunks += size.chunks;
      stats.samples += size.samples;
      stats.bytes += size.bytes;
    }
  }
  return stats;
}

}  // namespace ward::collector
