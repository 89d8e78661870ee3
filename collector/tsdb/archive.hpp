#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "collector/tsdb/label_table.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace ward::collector {

/// Chunks on disk. The store behind the head; SQLite implements it (collector/store/sqlite/days.hpp). Thread: any.
class ChunkArchive {
 public:
  /// What one query holds of it, so that what is next to each other is read once. Thread: one at a time.
  class Cursor {
   public:
    /// `at`: the place of the chunk's series in the list; the bytes live until it returns.
    using Take = std::function<void(std::size_t at, std::span<const std::uint8_t> chunk)>;
    virtual ~Cursor() = default;
    /// Chunks that hold samples in [from, to] of these series, which rise and are all of one tenant; of one series in any
    /// order. What is damaged is left out and counted; errors are those of the disk.
    virtual Status read(std::string_view tenant, std::span<const SeriesRef> series, Time from, Time to,
                        const Take& take) = 0;
  };

  virtual ~ChunkArchive() = default;
  [[nodiscard]] virtual std::unique_ptr<Cursor> cursor() const = 0;
};

}  // namespace ward::collector
