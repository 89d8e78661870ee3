#include "collector/tsdb/history.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace ward::collector {
namespace {

constexpr std::string_view kTenant = "tenant";

void append_chunk(std::span<const std::uint8_t> bytes, Time from, Time to, std::vector<Sample>& out) {
  std::array<Sample, kChunkSamples> samples;
  const auto decoded = decode_into(bytes, samples);
  if (decoded.corrupt) return;  // its block's checksum was right: written so, and seen when the head took it
  for (std::size_t n = 0; n < decoded.count; ++n)
    if (samples[n].t >= from && samples[n].t <= to) out.push_back(samples[n]);
}

/// Chunks of late samples overlap, and what is in memory may be on disk too. Of two samples of one time the first stays.
void put_in_order(std::vector<Sample>& samples) {
  const auto not_later = [](const Sample& a, const Sample& b) { return a.t >= b.t; };
  if (std::adjacent_find(samples.begin(), samples.end(), not_later) == samples.end()) return;
  std::stable_sort(samples.begin(), samples.end(), [](const Sample& a, const Sample& b) { return a.t < b.t; });
  const auto same = [](const Sample& a, const Sample& b) { return a.t == b.t; };
  samples.erase(std::unique(samples.begin(), samples.end(), same), samples.end());
}

}  // namespace

class History::Reader final : public SeriesReader {
 public:
  explicit Reader(const History& history) : history_(history), head_(history.head_.reader()) {}

  Result<std::vector<FoundSeries>> find(std::span<const Matcher> matchers, Time from, Time to) override {
    auto found = head_->find(matchers, from, to);
    if (!found || from >= history_.whole_from()) return found;
    // As the archive's blocks are laid out, so that each is read once.
    for (const auto& series : *found) tenants_.insert_or_assign(series.key, tenant_of(series));
    std::sort(found->begin(), found->end(), [this](const FoundSeries& a, const FoundSeries& b) {
      const auto ta = tenants_.at(a.key);
      const auto tb = tenants_.at(b.key);
      return ta != tb ? ta < tb : a.key < b.key;
    });
    return found;
  }

  Status read(std::span<const FoundSeries> series, Time from, Time to, SampleBatch& out) override {
    // The head first: what it lets go of after that was on disk before, and the mark was raised before it let go.
    if (auto read = head_->read(series, from, to, out); !read) return read;
    if (from >= history_.whole_from()) return {};
    return add_archived(series, from, to, out);
  }

  Status read_latest(std::span<const FoundSeries> series, Time from, Time to, SampleBatch& out) override {
    if (from < history_.whole_from()) return read(series, from, to, out);
    if (auto read = head_->read_latest(series, from, to, out); !read) return read;
    return from >= history_.whole_from() ? Status{} : read(series, from, to, out);
  }

  LabelId intern(std::string_view name, std::string_view value) override { return head_->intern(name, value); }
  [[nodiscard]] LabelText text(LabelId id) const override { return head_->text(id); }
  [[nodiscard]] std::uint32_t name_number(LabelId id) const override { return head_->name_number(id); }

 private:
  /// The number of the series' tenant pair; 0 is a pair too, so none is one of its own.
  [[nodiscard]] std::int64_t tenant_of(const FoundSeries& series) const {
    for (const auto id : series.labels())
      if (head_->text(id).name == kTenant) return id;
    return kNoTenant;
  }

  Status add_archived(std::span<const FoundSeries> series, Time from, Time to, SampleBatch& out) {
    if (!cursor_) cursor_ = history_.archive_.cursor();
    const auto before = std::min(to, history_.whole_from() - milliseconds{1});
    archived_.resize(std::max(archived_.size(), series.size()));
    for (auto& samples : archived_) samples.clear();
    for (std::size_t at = 0; at < series.size();) {
      const auto many = same_tenant(series.subspan(at));
      if (auto read = read_archive(series.subspan(at, many), at, from, before); !read) return read;
      at += many;
    }
    merged_.clear();
    for (std::size_t n = 0; n < series.size(); ++n) {
      auto& samples = archived_[n];
      samples.insert(samples.end(), out[n].begin(), out[n].end());
      put_in_order(samples);
      merged_.sink().insert(merged_.sink().end(), samples.begin(), samples.end());
      merged_.end_series();
    }
    std::swap(out, merged_);
    return {};
  }

  Status read_archive(std::span<const FoundSeries> series, std::size_t at, Time from, Time to) {
    // find() put them in order; a caller may have read others between.
    std::vector<std::pair<SeriesRef, std::size_t>> order;
    for (std::size_t n = 0; n < series.size(); ++n) order.emplace_back(SeriesRef{series[n].key}, at + n);
    std::sort(order.begin(), order.end());
    std::vector<SeriesRef> refs;
    for (const auto& [ref, place] : order) refs.push_back(ref);
    const auto tenant = tenant_of(series.front());
    const auto name = tenant == kNoTenant ? std::string_view{} : head_->text(static_cast<LabelId>(tenant)).value;
    return cursor_->read(name, refs, from, to, [&](std::size_t n, std::span<const std::uint8_t> chunk) {
      append_chunk(chunk, from, to, archived_[order[n].second]);
    });
  }

  [[nodiscard]] std::size_t same_tenant(std::span<const FoundSeries> series) const {
    const auto tenant = tenant_of(series.front());
    std::size_t many = 1;
    while (many < series.size() && tenant_of(series[many]) == tenant) ++many;
    return many;
  }

  static constexpr std::int64_t kNoTenant = -1;
  const History& history_;
  std::unique_ptr<SeriesReader> head_;
  std::unique_ptr<ChunkArchive::Cursor> cursor_;
  std::unordered_map<std::uint32_t, std::int64_t> tenants_;
  std::vector<std::vector<Sample>> archived_;
  SampleBatch merged_;
};

std::unique_ptr<SeriesReader> History::reader() const { return std::make_unique<Reader>(*this); }

Result<std::vector<SeriesData>> History::select(std::span<const Matcher> matchers, Time from, Time to) const {
  if (from >= whole_from()) {
    auto found = head_.select(matchers, from, to);
    if (from >= whole_from()) return found;
  }
  Reader reader(*this);
  const auto found = reader.find(matchers, from, to);
  if (!found) return fail(found.error());
  std::vector<SeriesData> out;
  SampleBatch batch;
  for (std::size_t at = 0; at < found->size(); at += SeriesReader::kBatch) {
    const auto some = std::span{*found}.subspan(at, std::min(SeriesReader::kBatch, found->size() - at));
    if (auto read = reader.read(some, from, to, batch); !read) return fail(read.error());
    for (std::size_t n = 0; n < some.size(); ++n) {
      if (batch[n].empty()) continue;
      std::vector<Label> labels;
      for (const auto id : some[n].labels()) {
        const auto [name, value] = reader.text(id);
        labels.emplace_back(name, value);
      }
      out.push_back({Labels{std::move(labels)}, {batch[n].begin(), batch[n].end()}});
    }
  }
  std::sort(out.begin(), out.end(), [](const SeriesData& a, const SeriesData& b) { return a.labels < b.labels; });
  return out;
}

}  // namespace ward::collector
