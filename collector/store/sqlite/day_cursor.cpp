#include <algorithm>
#include <list>
#include <map>
#include <utility>

#include "collector/store/sqlite/day_directory.hpp"
#include "collector/store/sqlite/days.hpp"

namespace ward::collector {
namespace {

/// Of blocks a query keeps: those of a month of flushes around one place, so that its series in order read each once.
constexpr std::size_t kKeep = 32 << 20;

}  // namespace

class Days::DayCursor final : public ChunkArchive::Cursor {
 public:
  explicit DayCursor(const Days& days) : days_(days) {}

  Status read(std::string_view tenant, std::span<const SeriesRef> series, Time from, Time to, const Take& take) override {
    if (series.empty() || from > to) return {};
    for (const auto day : days_.days_between(day_of(from), day_of(to))) {
      const auto directory = days_.directory(day);
      if (!directory) return fail(directory.error());
      Status done;
      (*directory)->find(tenant, series.front(), series.back(), from, to, [&](const DayBlock& block) {
        if (done) done = read_from(day, block, series, from, to, take);
      });
      if (!done) return done;
    }
    return {};
  }

 private:
  using Key = std::pair<Day, std::int64_t>;
  struct Kept {
    std::optional<wire::Buffer> data;
    std::list<Key>::iterator use;
  };

  Status read_from(Day day, const DayBlock& block, std::span<const SeriesRef> series, Time from, Time to, const Take& take) {
    const auto data = load(day, block);
    if (!data) return fail(data.error());
    if (!**data) return {};
    auto next = series.begin();
    const bool whole = read_block(***data, block.first, [&](const BlockChunk& chunk) {
      while (next != series.end() && *next < chunk.series) ++next;
      if (next == series.end() || *next != chunk.series || chunk.t_min > to || chunk.t_max < from) return;
      take(static_cast<std::size_t>(next - series.begin()), chunk.bytes);
    });
    if (!whole) days_.damaged(day, "a block is not what its checksum says");
    return {};
  }

  Result<const std::optional<wire::Buffer>*> load(Day day, const DayBlock& block) {
    const Key key{day, block.id};
    if (const auto at = kept_.find(key); at != kept_.end()) {
      uses_.splice(uses_.end(), uses_, at->second.use);
      return &at->second.data;
    }
    auto data = days_.read_data(day, block);
    if (!data) return fail(data.error());
    size_ += *data ? (*data)->size() : 0;
    while (size_ > kKeep && !uses_.empty()) {
      const auto oldest = kept_.find(uses_.front());
      size_ -= oldest->second.data ? oldest->second.data->size() : 0;
      kept_.erase(oldest);
      uses_.pop_front();
    }
    uses_.push_back(key);
    auto& kept = kept_.emplace(key, Kept{std::move(*data), std::prev(uses_.end())}).first->second;
    return &kept.data;
  }

  const Days& days_;
  std::map<Key, Kept> kept_;
  std::list<Key> uses_;  // the oldest first
  std::size_t size_ = 0;
};

std::unique_ptr<ChunkArchive::Cursor> Days::cursor() const { return std::make_unique<DayCursor>(*this); }

}  // namespace ward::collector
