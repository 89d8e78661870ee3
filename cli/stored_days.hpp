#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collector/rehearsal/backtest.hpp"
#include "collector/store/sqlite/day_file.hpp"

namespace ward::cli {

/// The day files of a data_dir, of its folder `days`, or one file; sorted. Errc::not_found when there is none.
Result<std::vector<std::filesystem::path>> day_files(const std::string& where);

/// A collector's stored days as samples for a backtest: read only, beside a running collector too. One day is open at a
/// time, and of it one block is in memory.
class StoredDays final : public collector::SampleSource {
 public:
  /// A day whose file cannot be read is left out and counted.
  static Result<StoredDays> find(const std::string& where);

  /// Times of the first and the last sample of all.
  struct Span {
    Time first;
    Time last;
  };
  [[nodiscard]] Result<Span> span() const;

  Status open(Time from, std::function<bool(const Labels&)> wanted) override;
  Status load(Time until, const Take& take) override;
  /// Days, blocks, series and chunks that could not be read so far; `wardctl tsdb verify` tells which.
  [[nodiscard]] std::uint64_t damaged() const { return lost_days_ + damaged_; }

 private:
  struct StoredDay {
    std::filesystem::path path;
    Time first;
    Time last;
  };
  struct Open {
    collector::DayFile file;
    std::map<std::uint32_t, Labels> wanted;         ///< by the number that chunks name
    std::vector<collector::DayFile::Entry> blocks;  ///< by t_min
    std::size_t next = 0;                           ///< of blocks
  };
  Status open_day(const StoredDay& day);
  Status load_block(const collector::DayBlock& block, const Take& take);

  std::vector<StoredDay> days_;  ///< by the time of their first sample
  Time from_;
  std::function<bool(const Labels&)> wanted_;
  std::size_t next_ = 0;  ///< of days_
  std::optional<Open> open_;
  std::uint64_t lost_days_ = 0;
  std::uint64_t damaged_ = 0;  ///< since open()
};

}  // namespace ward::cli
