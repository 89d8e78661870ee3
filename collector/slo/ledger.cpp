#include "collector/slo/ledger.hpp"

#include <algorithm>

namespace ward::collector::slo {
namespace {

std::size_t offset_in_block(std::int64_t minute) {
  return static_cast<std::size_t>(minute - first_minute(block_of(minute)));
}

}  // namespace

Ledger::Ledger(Counting counting, std::size_t edges, std::int64_t keep, ReadBlock read)
    : counting_(counting), keep_(keep), read_(std::move(read)), edges_(edges) {}

std::int64_t Ledger::slice_of(std::int64_t minute) const {
  const auto in_block = static_cast<std::int64_t>(offset_in_block(minute));
  return minute - in_block % counting_.slice;
}

bool Ledger::make_room(std::int64_t minute) {
  const auto block = block_of(minute);
  if (!begun_) begin(block);
  if (block >= open_first_ + kOpen) open_up_to(block);
  if (first_minute(open_first_ + kOpen) - minute > keep_ + kBlockMinutes * (kOpen + 1)) return false;
  if (block < first_) extend_back(block);
  return true;
}

void Ledger::begin(BlockNumber block) {
  begun_ = true;
  first_ = open_first_ = block - (kOpen - 1);
  borders_.assign(kOpen + 1, Sums{});
  open_.assign(static_cast<std::size_t>(kOpen * kBlockMinutes), Cell{});
  open_changed_ = 0;
}

void Ledger::extend_back(BlockNumber block) {
  borders_.insert(borders_.begin(), static_cast<std::size_t>(first_ - block), borders_.front());
  first_ = block;
}

void Ledger::open_up_to(BlockNumber block) {
  // A gap of years would otherwise be walked through block by block.
  if (first_minute(block) - first_minute(open_first_) > keep_ + kBlockMinutes * kOpen * 2) {
    for (BlockNumber i = 0; i < kOpen; ++i) close_oldest();
    const auto all = borders_.back();
    begin(block);
    borders_.assign(borders_.size(), all);
    for (auto& edge : edges_) edge = Edge{};
    return;
  }
  while (block >= open_first_ + kOpen) close_oldest();
  drop_old();
}

void Ledger::close_oldest() {
  const auto oldest = std::span{open_}.first<static_cast<std::size_t>(kBlockMinutes)>();
  if ((open_changed_ & 1) != 0) changed_[open_first_] = encode_block(oldest);
  open_changed_ = static_cast<std::uint8_t>(open_changed_ >> 1);
  std::move(open_.begin() + kBlockMinutes, open_.end(), open_.begin());
  std::fill(open_.end() - kBlockMinutes, open_.end(), Cell{});
  ++open_first_;
  // Not doubled: there are hundreds of ledgers, and this grows eight times a day.
  if (borders_.size() == borders_.capacity()) borders_.reserve(borders_.size() + 16);
  borders_.push_back(borders_.back());
}

void Ledger::drop_old() {
  const auto oldest = block_of(first_minute(open_first_) - keep_) - 1;
  if (oldest <= first_) return;
  borders_.erase(borders_.begin(), borders_.begin() + (oldest - first_));
  first_ = oldest;
}

Result<wire::Buffer> Ledger::closed_bytes(BlockNumber block) {
  if (thawed_ != nullptr && thawed_->number == block) freeze();
  for (const auto* map : {&changed_, &saving_})
    if (const auto found = map->find(block); found != map->end()) return found->second;
  if (!read_) return wire::Buffer{};
  auto bytes = read_(block);
  if (bytes && !is_whole_block(*bytes)) bytes = fail(Errc::corrupt, "a block of a ledger is damaged", "");
  if (!bytes) ++read_failures_;
  return bytes;
}

Cell* Ledger::thaw(BlockNumber block) {
  if (thawed_ != nullptr && thawed_->number == block) return thawed_->cells.data();
  const auto bytes = closed_bytes(block);
  if (!bytes) return nullptr;
  freeze();
  thawed_ = std::make_unique<Thawed>(Thawed{block, decode_block(*bytes)});
  return thawed_->cells.data();
}

void Ledger::freeze() {
  if (thawed_ == nullptr) return;
  changed_[thawed_->number] = encode_block(thawed_->cells);
  thawed_.reset();
}

Cell* Ledger::cells(BlockNumber block) {
  if (is_open(block)) return open_.data() + (block - open_first_) * kBlockMinutes;
  return thaw(block);
}

template <class Change>
bool Ledger::change(std::int64_t minute, Change apply) {
  if (!make_room(minute)) return false;
  const auto block = block_of(minute);
  Cell* const all = cells(block);
  if (all == nullptr) return false;
  const auto slice = slice_of(minute);
  const std::span<const Cell> of_slice{all + offset_in_block(slice), static_cast<std::size_t>(counting_.slice)};
  auto by = counting_.count(of_slice);
  auto& cell = all[offset_in_block(minute)];
  apply(cell);
  by = counting_.count(of_slice) - by;
  if (is_open(block)) open_changed_ = static_cast<std::uint8_t>(open_changed_ | 1U << (block - open_first_));
  for (auto i = static_cast<std::size_t>(block - first_) + 1; i < borders_.size(); ++i) borders_[i] += by;
  for (auto& edge : edges_) {
    if (edge.at() > slice)
      edge.correct(by, block);
    else
      edge.forget(block);
  }
  if (!born_ || minute < *born_) born_ = minute;
  if (cell.total > 0 && (!last_known_ || minute > *last_known_)) last_known_ = minute;
  return true;
}

bool Ledger::add(std::int64_t minute, Amount bad, Amount total) {
  return change(minute, [&](Cell& cell) {
    cell.bad += bad;
    cell.total += total;
  });
}

bool Ledger::mark(std::int64_t minute, std::uint8_t set, std::uint8_t clear) {
  return change(minute, [&](Cell& cell) { cell.flags = static_cast<std::uint8_t>((cell.flags | set) & ~clear); });
}

bool Ledger::wipe(std::int64_t from, std::int64_t to) {
  bool all = true;
  if (!begun_) return true;
  from = std::max(from, first_minute(first_));
  to = std::min(to, first_minute(open_first_ + kOpen));
  for (auto minute = from; minute < to; ++minute) {
    const bool done =
        change(minute, [](Cell& cell) { cell = Cell{.flags = static_cast<std::uint8_t>(cell.flags & Cell::kExcluded)}; });
    all = all && done;
  }
  return all;
}

Cell Ledger::cell(std::int64_t minute) {
  const auto block = block_of(minute);
  if (!begun_ || block < first_ || block >= open_first_ + kOpen) return {};
  const Cell* all = nullptr;
  if (is_open(block)) {
    all = cells(block);
  } else {
    const auto bytes = closed_bytes(block);
    return bytes ? decode_block(*bytes)[offset_in_block(minute)] : Cell{};
  }
  return all[offset_in_block(minute)];
}

std::optional<BlockCells> Ledger::block(BlockNumber number) {
  if (!begun_ || number < first_ || number >= open_first_ + kOpen) return std::nullopt;
  if (!is_open(number)) {
    const auto bytes = closed_bytes(number);
    return bytes ? std::optional{decode_block(*bytes)} : std::nullopt;
  }
  BlockCells out;
  std::copy_n(cells(number), kBlockMinutes, out.begin());
  return out;
}

Sums Ledger::before(std::size_t edge, std::int64_t minute) {
  if (!begun_) return {};
  const auto target = slice_of(minute);
  if (target <= first_minute(first_)) return borders_.front();
  if (target >= first_minute(open_first_ + kOpen)) return borders_.back();
  walk(edges_[edge], target);
  return edges_[edge].before();
}

void Ledger::walk(Edge& edge, std::int64_t target) {
  const auto block = block_of(target);
  const auto start = first_minute(block);
  const bool open = is_open(block);
  const bool near = edge.is_placed() && edge.at() <= target && edge.at() >= start && (open || edge.has_block());
  if (edge.is_placed() && edge.at() == target) return;
  if (!near) {
    if (open || start == target) {
      edge.jump(start, border(block));
    } else {
      auto bytes = closed_bytes(block);
      if (!bytes) return edge.jump(start, border(block));
      edge.enter(start, border(block), std::move(*bytes));
    }
  }
  while (edge.at() < target) {
    if (open) {
      const Cell* at = open_.data() + (edge.at() - first_minute(open_first_));
      edge.step(counting_.count({at, static_cast<std::size_t>(counting_.slice)}), counting_.slice);
    } else {
      edge.advance(counting_);
    }
  }
}

Sums Ledger::between(std::int64_t from, std::int64_t to) {
  // Edges of the moment: the others stay where they are.
  const auto at = [&](std::int64_t minute) {
    if (!begun_) return Sums{};
    const auto target = slice_of(minute);
    if (target <= first_minute(first_)) return borders_.front();
    if (target >= first_minute(open_first_ + kOpen)) return borders_.back();
    Edge edge;
    walk(edge, target);
    return edge.before();
  };
  return at(to) - at(from);
}

std::vector<Ledger::Block> Ledger::take_changed() {
  freeze();
  for (BlockNumber i = 0; i < (begun_ ? kOpen : 0); ++i) {
    if ((open_changed_ >> i & 1) == 0) continue;
    const auto* cells = open_.data() + i * kBlockMinutes;
    changed_[open_first_ + i] =
        encode_block(std::span<const Cell, kBlockMinutes>(cells, static_cast<std::size_t>(kBlockMinutes)));
  }
  open_changed_ = 0;
  for (auto& [number, bytes] : changed_) saving_[number] = std::move(bytes);
  changed_.clear();
  std::vector<Block> out;
  for (const auto& [number, bytes] : saving_) out.push_back({number, bytes});
  return out;
}

void Ledger::saved() { saving_.clear(); }

void Ledger::not_saved() {
  for (auto& [number, bytes] : saving_) changed_.try_emplace(number, std::move(bytes));
  saving_.clear();
}

std::size_t Ledger::restore(std::span<const Block> blocks) {
  std::size_t damaged = 0;
  if (blocks.empty()) return damaged;
  begin(blocks.back().number);
  const auto oldest = block_of(first_minute(open_first_) - keep_) - 1;
  first_ = std::clamp(blocks.front().number, std::min(oldest, open_first_), open_first_);
  borders_.assign(static_cast<std::size_t>(open_first_ - first_ + kOpen + 1), Sums{});
  for (const auto& block : blocks) {
    if (!is_whole_block(block.bytes)) {
      ++damaged;
      continue;
    }
    if (block.number < first_) continue;
    const auto cells = decode_block(block.bytes);
    Sums sums;
    for (std::size_t i = 0; i < cells.size(); i += static_cast<std::size_t>(counting_.slice))
      sums += counting_.count(std::span{cells}.subspan(i, static_cast<std::size_t>(counting_.slice)));
    borders_[static_cast<std::size_t>(block.number - first_) + 1] = sums;
    if (is_open(block.number))
      std::copy(cells.begin(), cells.end(), open_.begin() + (block.number - open_first_) * kBlockMinutes);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty()) continue;
      const auto minute = first_minute(block.number) + static_cast<std::int64_t>(i);
      if (!born_) born_ = minute;
      if (cells[i].total > 0) last_known_ = minute;
    }
  }
  for (std::size_t i = 1; i < borders_.size(); ++i) borders_[i] += borders_[i - 1];
  return damaged;
}

void Ledger::reshape(Counting counting, std::size_t edges, std::int64_t keep) {
  const bool recount = counting != counting_;
  counting_ = counting;
  keep_ = keep;
  edges_ = std::vector<Edge>(edges);
  if (begun_ && recount) recount_borders();
}

void Ledger::recount_borders() {
  for (std::size_t i = 0; i + 1 < borders_.size(); ++i) {
    const auto block = first_ + static_cast<BlockNumber>(i);
    Sums sums;
    BlockCells closed;
    const Cell* all = is_open(block) ? cells(block) : nullptr;
    if (all == nullptr) {
      const auto bytes = closed_bytes(block);
      if (bytes) closed = decode_block(*bytes);
      all = closed.data();
    }
    for (std::int64_t m = 0; m < kBlockMinutes; m += counting_.slice)
      sums += counting_.count({all + m, static_cast<std::size_t>(counting_.slice)});
    borders_[i + 1] = borders_[i] + sums;
  }
}

std::size_t Ledger::bytes() const {
  constexpr std::size_t kMapNode = 48 + sizeof(wire::Buffer);
  std::size_t out =
      sizeof *this + borders_.capacity() * sizeof(Sums) + open_.capacity() * sizeof(Cell) + edges_.capacity() * sizeof(Edge);
  for (const auto& edge : edges_) out += edge.heap_bytes();
  for (const auto* map : {&changed_, &saving_})
    for (const auto& [number, bytes] : *map) out += kMapNode + bytes.capacity();
  return thawed_ != nullptr ? out + sizeof(Thawed) : out;
}

}  // namespace ward::collector::slo
