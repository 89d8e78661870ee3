#pragma once
#include <optional>

#include "collector/ingest/journal.hpp"
#include "common/wire/bytes.hpp"

namespace ward::collector {

/// A series' labels as the journal, the days and the queue of remote write keep them.
[[nodiscard]] wire::Buffer series_row(const Labels& labels);
[[nodiscard]] std::optional<Labels> read_series_row(wire::ByteView row);

}  // namespace ward::collector
