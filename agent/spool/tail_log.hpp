#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/batch.hpp"
#include "common/sqlite/files.hpp"

namespace ward::agent {

/// What was numbered while the disk took nothing. kill -9 takes these records with the memory they wait in; the next life
/// reads here how many there were, and states them as gaps (crash). The file holds no data, only counts, and has its whole
/// size from the start: writing inside of it needs no room on a full disk. Thread: the spool's.
class TailLog {
 public:
  static constexpr std::size_t kBlockBytes = 512;  // a sector: written as a whole or not at all
  static constexpr std::size_t kBlocks = 512;
  static constexpr std::size_t kRecordsPerBlock = 192;

  struct Stream {
    TenantId tenant;
    Incarnation incarnation;
    std::uint64_t boot = 0;
    friend bool operator==(const Stream&, const Stream&) = default;
  };
  /// What is left of a record here.
  struct Counted {
    Sequence seq;
    std::size_t samples = 0;
    Time t_min;
    Time t_max;
  };
  /// Records first, first + 1, ... of one stream and how many samples each held.
  struct Run {
    Stream stream;
    Sequence first;
    std::vector<std::uint16_t> counts;
    Time t_min;
    Time t_max;
    friend bool operator==(const Run&, const Run&) = default;
  };

  /// Opens or creates at full size. Errc::full when the disk has no room for it.
  static Result<TailLog> open(const std::string& vfs, const std::string& path);
  /// What was noted and not forgotten, in the order of noting. Blocks that do not read are left out.
  [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }
  /// Errc::full when kBlocks are used: later records would be lost unseen by a kill.
  Status add(const Stream& stream, const Counted& record);
  Status sync() { return file_.sync(); }
  /// The spool holds all of it now. Forced to disk; on an error the notes stay, to be cleared again.
  Status clear();

 private:
  explicit TailLog(sqlite::File file) : file_(std::move(file)) {}
  Status read_blocks();
  Status write_block(std::size_t index);

  sqlite::File file_;
  std::vector<Run> runs_;
  std::vector<std::size_t> places_;  // the block of each run
  std::size_t next_block_ = 0;
};

}  // namespace ward::agent
