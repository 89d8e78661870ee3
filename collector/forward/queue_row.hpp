#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "common/model/labels.hpp"
#include "common/wire/record.hpp"

namespace ward::collector {

/// The queue's own number of a series. Not the journal's: those end with their series, and begin anew with a new journal.
using QueueSeries = std::uint32_t;

/// The forms in which the queue's file keeps things (docs/format/store.md). Not thread-safe: scratch inside is reused.
class QueueCodec {
 public:
  /// Samples of a record by the queue's numbers: the list of those, then the samples by their place in it.
  [[nodiscard]] wire::Buffer encode(const wire::Record& record, const std::function<QueueSeries(std::uint32_t)>& number_of);
  /// nullopt: damaged.
  [[nodiscard]] std::optional<std::vector<wire::IdSample>> decode(wire::ByteView payload);

 private:
  wire::RecordCodec records_;
};

/// SQLite checks its structure, not its contents.
[[nodiscard]] std::int64_t queue_crc(wire::ByteView bytes, std::int64_t id, std::int64_t samples = 0);

}  // namespace ward::collector
