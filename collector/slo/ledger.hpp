#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "collector/slo/block_code.hpp"
#include "collector/slo/edge.hpp"
#include "common/base/result.hpp"

namespace ward::collector::slo {

/// The minutes of one group of one SLO. Sums up to any minute cost the same however far it lies back, because they stand
/// at the border of each block and move along at each edge; a late minute corrects them. In memory are the minutes of the
/// last two blocks and the sums at the borders; minutes of older blocks are read back where an edge needs them
/// (docs/decisions/0010-slo-ledgers.md). Thread: its engine's.
class Ledger {
 public:
  /// Reads a block of this ledger that was handed out by take_changed(); no bytes when there is none.
  using ReadBlock = std::function<Result<wire::Buffer>(BlockNumber)>;
  struct Block {
    BlockNumber number = 0;
    wire::Buffer bytes;
    friend bool operator==(const Block&, const Block&) = default;
  };

  /// `keep`: minutes before the newest one that are worth keeping; `edges`: as many as callers use.
  Ledger(Counting counting, std::size_t edges, std::int64_t keep, ReadBlock read);

  /// Adds to a minute. False, and nothing happens, when it is older than what is kept or its block cannot be read.
  bool add(std::int64_t minute, Amount bad, Amount total);
  /// Sets and clears flags of a minute. False as add().
  bool mark(std::int64_t minute, std::uint8_t set, std::uint8_t clear = 0);
  /// Empties minutes [from, to), but for kExcluded: they are about to be counted anew. False: some could not be.
  bool wipe(std::int64_t from, std::int64_t to);
  /// Empty when it is not kept or cannot be read.
  Cell cell(std::int64_t minute);

  /// All minutes of a block; nullopt when it is not kept in memory or cannot be read.
  std::optional<BlockCells> block(BlockNumber number);

  /// The sums of all minutes before `minute`, rounded down to a slice. Only differences mean something. When a block
  /// cannot be read the answer is for the beginning of that block, and read_failures() rises.
  Sums before(std::size_t edge, std::int64_t minute);
  /// Sums of [from, to) without an edge: costs up to two blocks. For what is asked rarely.
  Sums between(std::int64_t from, std::int64_t to);

  /// The first minute anything was told of; nullopt when nothing was.
  [[nodiscard]] std::optional<std::int64_t> born() const { return born_; }
  /// The last minute with events; nullopt when there was none.
  [[nodiscard]] std::optional<std::int64_t> last_known() const { return last_known_; }
  [[nodiscard]] std::uint64_t read_failures() const { return read_failures_; }
  [[nodiscard]] const Counting& counting() const { return counting_; }

  /// Blocks that differ from what was saved; they are kept until saved() or not_saved().
  std::vector<Block> take_changed();
  void saved();
  void not_saved();
  /// Of an empty ledger, blocks in rising order. Returns how many were damaged; those count as empty.
  std::size_t restore(std::span<const Block> blocks);
  /// Another way to count or other windows; what is known stays.
  void reshape(Counting counting, std::size_t edges, std::int64_t keep);

  /// The object and all it holds on the heap.
  [[nodiscard]] std::size_t bytes() const;

 private:
  static constexpr BlockNumber kOpen = 2;
  struct Thawed {
    BlockNumber number = 0;
    BlockCells cells;
  };

  bool make_room(std::int64_t minute);
  void begin(BlockNumber block);
  void extend_back(BlockNumber block);
  void open_up_to(BlockNumber block);
  void close_oldest();
  void drop_old();
  [[nodiscard]] bool is_open(BlockNumber block) const { return block >= open_first_ && block < open_first_ + kOpen; }
  /// The cells of a kept block for reading and writing; null when they cannot be read.
  Cell* cells(BlockNumber block);
  Cell* thaw(BlockNumber block);
  void freeze();
  Result<wire::Buffer> closed_bytes(BlockNumber block);
  [[nodiscard]] const Sums& border(BlockNumber block) const { return borders_[static_cast<std::size_t>(block - first_)]; }
  template <class Change>
  bool change(std::int64_t minute, Change apply);
  void walk(Edge& edge, std::int64_t target);
  [[nodiscard]] std::int64_t slice_of(std::int64_t minute) const;
  void recount_borders();

  Counting counting_;
  std::int64_t keep_;
  ReadBlock read_;
  std::vector<Edge> edges_;
  bool begun_ = false;
  BlockNumber first_ = 0;       ///< the first block kept
  BlockNumber open_first_ = 0;  ///< of the two open blocks the first
  std::vector<Sums> borders_;   ///< everything before block first_ + i, the two open ones and the one after them included
  std::vector<Cell> open_;
  std::uint8_t open_changed_ = 0;  ///< a bit for each open block
  std::map<BlockNumber, wire::Buffer> changed_;
  std::map<BlockNumber, wire::Buffer> saving_;
  std::unique_ptr<Thawed> thawed_;
  std::optional<std::int64_t> born_;
  std::optional<std::int64_t> last_known_;
  std::uint64_t read_failures_ = 0;
};

}  // namespace ward::collector::slo
