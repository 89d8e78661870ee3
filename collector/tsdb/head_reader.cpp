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

  Result<std::vector<FoundSeries>> find(std::span<const Matcher> matchers, Time, Time) override {
    const std::shared_lock lock{head_.index_mutex_};
    const auto refs = head_.index_.match(matchers);
    std::vector<FoundSeries> out;
    out.reserve(refs.size());
    for (const auto ref : refs) {
      const auto row = head_.index_.row(ref);
      out.push_back({row.data(), static_cast<std::uint32_t>(row.size()), ref.get()});
    }
    return out;
  }

  Status read(const FoundSeries& found, Time from, Time to, std::vector<Sample>& out) override {
    out.clear();
    const SeriesRef ref{found.key};
    const auto& home = head_.shard(ref);
    const std::shared_lock lock{home.mutex};
    if (const auto* series = home.find(ref)) series->samples.read(from, to, out);
    return {};
  }

  Status read_latest(const FoundSeries& found, Time from, Time to, std::vector<Sample>& out) override {
    out.clear();
    const SeriesRef ref{found.key};
    const auto& home = head_.shard(ref);
    const std::shared_lock lock{home.mutex};
    const auto* series = home.find(ref);
    if (series == nullptr || series->samples.empty()) return {};
    const auto last = series->samples.last();
    if (last.t < from) return {};
    if (last.t <= to)
      out.push_back(last);  // the usual case, a query for now: nothing is decoded
    else
      series->samples.read(from, to, out);
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
