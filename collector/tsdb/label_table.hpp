#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collector/tsdb/series_reader.hpp"
#include "common/base/strong.hpp"

namespace ward::collector {

/// Number of a series in this store, from 1, never used twice.
using SeriesRef = Strong<struct SeriesRefTag, std::uint32_t>;

/// Every label pair of a store once, with its number and its postings. A pair's place in memory never moves, so a query may
/// read the texts of pairs it found without a lock, as long as it holds a Pin: pairs that lost their last series are freed
/// when nobody holds one.
/// Thread: changes under the owner's lock; pins are taken under its shared lock; text() and name_number() of a found pair at
/// any time.
class LabelTable {
 public:
  struct Pair {
    const std::string* name = nullptr;  ///< null: a free number
    const std::string* value = nullptr;
    std::uint32_t name_number = 0;
    std::vector<SeriesRef> refs;  ///< rising
  };
  struct Name {
    std::uint32_t number = 0;
    std::map<std::string, LabelId, std::less<>> values;  ///< those without refs are leftovers waiting for the last pin
  };
  using Names = std::map<std::string, Name, std::less<>>;

  class Pin {
   public:
    explicit Pin(const LabelTable& table) : table_(&table) { table.pins_.fetch_add(1, std::memory_order_relaxed); }
    ~Pin() { table_->pins_.fetch_sub(1, std::memory_order_release); }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

   private:
    const LabelTable* table_;
  };

  LabelTable();
  [[nodiscard]] const Pair& pair(LabelId id) const { return blocks_[id / kBlock][id % kBlock]; }
  [[nodiscard]] Pair& pair(LabelId id) { return blocks_[id / kBlock][id % kBlock]; }
  /// All numbers are below.
  [[nodiscard]] std::size_t size() const { return next_pair_; }
  [[nodiscard]] const Names& names() const { return names_; }
  /// Null when no pair has it.
  [[nodiscard]] const Name* find(std::string_view name) const;
  LabelId intern(const std::string& name, const std::string& value);
  /// Frees a pair without postings, now or when the last pin is gone.
  void release(LabelId id);
  /// Frees what waits, when it can.
  void reclaim();
  [[nodiscard]] bool pinned() const { return pins_.load(std::memory_order_acquire) != 0; }

 private:
  static constexpr std::size_t kBlock = 4096;
  static constexpr std::size_t kMaxBlocks = 65'536;  ///< 268 million pairs
  void free_now(LabelId id);

  Names names_;
  std::uint32_t next_name_ = 1;
  std::vector<std::unique_ptr<Pair[]>> blocks_;  ///< room for all is reserved: growth moves nothing
  std::uint32_t next_pair_ = 0;
  std::vector<LabelId> free_;
  std::vector<LabelId> waiting_;
  mutable std::atomic<std::uint32_t> pins_{0};
};

}  // namespace ward::collector
