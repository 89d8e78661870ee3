#include <array>
#include <mutex>

#include "collector/tsdb/head.hpp"
#include "collector/tsdb/label_numbers.hpp"

namespace ward::collector {
namespace {

/// Pairs a query makes up are numbered from here; the store's own stay below.
constexpr LabelId kOwn = 0x8000'0000U;

}  // namespace

/// A query's view of the head: label numbers are the index's own, samples are decoded under the lock of their shard.
class Head::Reader final : public SeriesReader {
 public:
  explicit Reader(const Head& head) : head_(head), pin_(take_pin(head)) {}

  Result<std::vector<FoundSeries>> find(std::span<const Matcher> matchers, Time from, Time) override {
    const std::shared_lock lock{head_.index_mutex_};
    auto refs = head_.index_.match(matchers);
    if (!head_.quiet_.empty()) {
      std::erase_if(refs, [&, first = day_of(from)](SeriesRef ref) {
        const auto at = head_.quiet_.find(ref);
        return at != head_.quiet_.end() && (!at->second || *at->second < first);
      });
    }
    // Shard by shard, so that a batch of series is read under one lock.
    std::array<std::size_t, kShards + 1> start{};
    for (const auto ref : refs) ++start[ref.get() % kShards + 1];
    for (std::size_t n = 1; n <= kShards; ++n) start[n] += start[n - 1];
    std::vector<FoundSeries> out(refs.size());
    for (const auto ref : refs) {
      const auto row = head_.index_.row(ref);
      out[start[ref.get() % kShards]++] = {row.data(), static_cast<std::uint32_t>(row.size()), ref.get()};
    }
    return out;
  }

  Status read(std::span<const FoundSeries> found, Time from, Time to, SampleBatch& out) override {
    out.clear();
    each_shard(found, [&](std::span<const Series* const> series) {
      for (const auto* one : series)
        if (one != nullptr) one->samples.prefetch_chunks();
      for (const auto* one : series)
        if (one != nullptr) one->samples.prefetch_bytes(from, to);
      for (const auto* one : series) {
        if (one != nullptr) one->samples.read(from, to, out.sink());
        out.end_series();
      }
    });
    return {};
  }

  Status read_latest(std::span<const FoundSeries> found, Time from, Time to, SampleBatch& out) override {
    out.clear();
    each_shard(found, [&](std::span<const Series* const> series) {
      for (const auto* one : series) {
        if (one != nullptr && !one->samples.empty() && one->samples.last().t >= from) {
          if (one->samples.last().t <= to)
            out.sink().push_back(one->samples.last());  // the usual case, a query for now: nothing is decoded
          else
            one->samples.read(from, to, out.sink());
        }
        out.end_series();
      }
    });
    return {};
  }

  LabelId intern(std::string_view name, std::string_view value) override {
    {
      const std::shared_lock lock{head_.index_mutex_};
      if (const auto* known = head_.index_.table().find(name))
        if (const auto at = known->values.find(value); at != known->values.end()) return at->second;
    }
    const auto own = own_.intern(name, value);
    if (own == own_names_.size()) own_names_.push_back(number_of(name, own));
    return own | kOwn;
  }
  [[nodiscard]] LabelText text(LabelId id) const override {
    if (id >= kOwn) return own_.text(id - kOwn);
    const auto& pair = head_.index_.table().pair(id);
    return {*pair.name, *pair.value};
  }
  [[nodiscard]] std::uint32_t name_number(LabelId id) const override {
    return id >= kOwn ? own_names_[id - kOwn] : head_.index_.table().pair(id).name_number;
  }

 private:
  /// Calls `visit` with the series of each run of one shard, under its lock, their memory asked for.
  template <class Visit>
  void each_shard(std::span<const FoundSeries> found, Visit visit) {
    while (!found.empty()) {
      const auto shard_of = [](const FoundSeries& f) { return f.key % kShards; };
      std::size_t run = 1;
      while (run < found.size() && run < kBatch && shard_of(found[run]) == shard_of(found[0])) ++run;
      const auto& home = head_.shard(SeriesRef{found[0].key});
      const std::shared_lock lock{home.mutex};
      std::array<const Series*, kBatch> series{};
      for (std::size_t i = 0; i < run; ++i) {
        series[i] = home.find(SeriesRef{found[i].key});
        prefetch(series[i]);
      }
      visit(std::span<const Series* const>{series}.first(run));
      found = found.subspan(run);
    }
  }
  static LabelTable::Pin take_pin(const Head& head) {
    const std::shared_lock lock{head.index_mutex_};
    return head.index_.pin();
  }
  [[nodiscard]] std::uint32_t number_of(std::string_view name, LabelId own) const {
    const std::shared_lock lock{head_.index_mutex_};
    const auto* known = head_.index_.table().find(name);
    return known == nullptr ? own_.name_number(own) | kOwn : known->number;
  }

  const Head& head_;
  LabelTable::Pin pin_;
  LabelNumbers own_;
  std::vector<std::uint32_t> own_names_;  ///< by number of the own pair
};

std::unique_ptr<SeriesReader> Head::reader() const { return std::make_unique<Reader>(*this); }

}  // namespace ward::collector
