#include "cli/stored_days.hpp"

#include <algorithm>
#include <limits>

#include "collector/tsdb/chunk.hpp"

namespace ward::cli {
namespace {

namespace fs = std::filesystem;
using collector::BlockChunk;
using collector::DayFile;

/// Everything that stands in the file: what counts is the journal's to say.
constexpr auto kAll = std::numeric_limits<std::int64_t>::max();
constexpr const char* kEnding = ".db";

}  // namespace

Result<std::vector<fs::path>> day_files(const std::string& where) {
  std::error_code error;
  const fs::path path(where);
  std::vector<fs::path> out;
  if (fs::is_regular_file(path, error)) return std::vector{path};
  const auto folder = fs::is_directory(path / "days", error) ? path / "days" : path;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == kEnding && at->path().stem() != "journal" && at->path().stem() != "state")
      out.push_back(at->path());
  std::sort(out.begin(), out.end());
  if (out.empty())
    return fail(Errc::not_found, "there is no stored day in '" + where + "'",
                "Name the collector's data_dir, its folder days, or one file of it.");
  return out;
}

Result<StoredDays> StoredDays::find(const std::string& where) {
  const auto files = day_files(where);
  if (!files) return fail(files.error());
  StoredDays out;
  for (const auto& path : *files) {
    auto file = DayFile::open(path.string(), "", DayFile::Access::read);
    const auto entries = file ? file->entries(kAll) : Result<std::vector<DayFile::Entry>>{fail(file.error())};
    if (!entries) ++out.lost_days_;
    if (!entries || entries->empty()) continue;
    StoredDay day{.path = path, .first = Time::max(), .last = Time::min()};
    for (const auto& [block, batch] : *entries) {
      day.first = std::min(day.first, block.t_min);
      day.last = std::max(day.last, block.t_max);
    }
    out.days_.push_back(std::move(day));
  }
  std::sort(out.days_.begin(), out.days_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

Result<StoredDays::Span> StoredDays::span() const {
  if (days_.empty() && lost_days_ > 0)
    return fail(Errc::corrupt, "none of the stored days can be read", "Run wardctl tsdb verify to see why.");
  if (days_.empty())
    return fail(Errc::not_found, "the stored days hold no samples",
                "Wait until the collector has filed some; it does so every two hours.");
  Span out{days_.front().first, days_.front().last};
  for (const auto& day : days_) out.last = std::max(out.last, day.last);
  return out;
}

Status StoredDays::open(Time from, std::function<bool(const Labels&)> wanted) {
  from_ = from;
  wanted_ = std::move(wanted);
  open_.reset();
  next_ = 0;
  damaged_ = 0;
  return {};
}

Status StoredDays::load(Time until, const Take& take) {
  for (;;) {
    if (open_) {
      for (; open_->next < open_->blocks.size() && open_->blocks[open_->next].block.t_min < until; ++open_->next)
        if (auto loaded = load_block(open_->blocks[open_->next].block, take); !loaded) return loaded;
      if (open_->next < open_->blocks.size()) return {};
      open_.reset();
    }
    while (next_ < days_.size() && days_[next_].last < from_) ++next_;
    if (next_ == days_.size() || days_[next_].first >= until) return {};
    if (auto opened = open_day(days_[next_++]); !opened) return opened;
  }
}

Status StoredDays::open_day(const StoredDay& day) {
  auto file = DayFile::open(day.path.string(), "", DayFile::Access::read);
  if (!file) return fail(file.error());
  auto entries = file->entries(kAll);
  if (!entries) return fail(entries.error());
  Open open{.file = std::move(*file), .wanted = {}, .blocks = std::move(*entries)};
  auto read = open.file.each_series(
      [&](auto id, Labels labels) {
        if (wanted_(labels)) open.wanted.emplace(id + 1, std::move(labels));
      },
      damaged_);
  if (!read) return read;
  std::erase_if(open.blocks, [&](const DayFile::Entry& entry) {
    const auto first = open.wanted.lower_bound(entry.block.first.get());
    return entry.block.t_max < from_ || first == open.wanted.end() || first->first > entry.block.last.get();
  });
  std::stable_sort(open.blocks.begin(), open.blocks.end(),
                   [](const auto& a, const auto& b) { return a.block.t_min < b.block.t_min; });
  open_.emplace(std::move(open));
  return {};
}

Status StoredDays::load_block(const collector::DayBlock& block, const Take& take) {
  const auto data = open_->file.data(block);
  if (!data) {
    // Retention may take a day from under us.
    if (data.error().code != Errc::not_found) return fail(data.error());
    return {};
  }
  if (!*data) {
    ++damaged_;
    return {};
  }
  const bool whole = collector::read_block(**data, block.first, [&](const BlockChunk& chunk) {
    const auto series = open_->wanted.find(chunk.series.get());
    if (series == open_->wanted.end() || chunk.t_max < from_) return;
    const auto samples = collector::decode_chunk(chunk.bytes);
    if (!samples || samples->empty())
      ++damaged_;
    else
      take(series->second, chunk.bytes, *samples);
  });
  damaged_ += whole ? 0 : 1;
  return {};
}

}  // namespace ward::cli
