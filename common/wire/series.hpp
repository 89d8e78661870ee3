#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/model/labels.hpp"
#include "common/wire/bytes.hpp"

namespace ward::wire {

/// One line of a session's dictionary.
struct SeriesEntry {
  std::uint32_t id = 0;  ///< the agent's own, in which digests are told; samples name the entry by its place
  Labels labels;
  friend bool operator==(const SeriesEntry&, const SeriesEntry&) = default;
};

/// Limits of one SERIES frame: its coding repeats by reference, so that its length does not bound what it spells out.
inline constexpr std::size_t kMaxSeriesEntries = 4'096;
inline constexpr std::size_t kMaxSeriesText = 512 << 10;  ///< bytes of all names and values, spelled out

/// Bytes of names and values.
[[nodiscard]] std::size_t text_size(const Labels& labels);

/// The list of docs/format/wire.md, "Series": each entry as what differs from the one before it, texts seen before as
/// their number. write_series needs entries within the limits above, read_series fails the reader beyond them, and where
/// label names are not in order or a value is empty.
void write_series(ByteWriter& out, const std::vector<SeriesEntry>& entries);
std::vector<SeriesEntry> read_series(ByteReader& in);

}  // namespace ward::wire
