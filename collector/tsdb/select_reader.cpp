#include <algorithm>
#include <deque>

#include "collector/tsdb/label_numbers.hpp"
#include "collector/tsdb/queryable.hpp"

namespace ward::collector {
namespace {

class SelectReader final : public SeriesReader {
 public:
  explicit SelectReader(const Queryable& store) : store_(store) {}

  Result<std::vector<FoundSeries>> find(std::span<const Matcher> matchers, Time from, Time to) override {
    auto selected = store_.select(matchers, from, to);
    if (!selected) return fail(selected.error());
    std::vector<FoundSeries> out;
    out.reserve(selected->size());
    for (auto& series : *selected) {
      auto& ids = rows_.emplace_back();
      for (const auto& [name, value] : series.labels) ids.push_back(numbers_.intern(name, value));
      out.push_back({ids.data(), static_cast<std::uint32_t>(ids.size()), static_cast<std::uint32_t>(samples_.size())});
      samples_.push_back(std::move(series.samples));
    }
    return out;
  }

  Status read(std::span<const FoundSeries> series, Time from, Time to, SampleBatch& out) override {
    out.clear();
    for (const auto& one : series) {
      const auto& all = samples_[one.key];
      const auto first = std::lower_bound(all.begin(), all.end(), from, [](const Sample& s, Time t) { return s.t < t; });
      const auto last = std::upper_bound(first, all.end(), to, [](Time t, const Sample& s) { return t < s.t; });
      out.sink().insert(out.sink().end(), first, last);
      out.end_series();
    }
    return {};
  }

  LabelId intern(std::string_view name, std::string_view value) override { return numbers_.intern(name, value); }
  [[nodiscard]] LabelText text(LabelId id) const override { return numbers_.text(id); }
  [[nodiscard]] std::uint32_t name_number(LabelId id) const override { return numbers_.name_number(id); }

 private:
  const Queryable& store_;
  LabelNumbers numbers_;
  std::deque<std::vector<LabelId>> rows_;
  std::vector<std::vector<Sample>> samples_;
};

}  // namespace

std::unique_ptr<SeriesReader> select_reader(const Queryable& store) { return std::make_unique<SelectReader>(store); }

}  // namespace ward::collector
