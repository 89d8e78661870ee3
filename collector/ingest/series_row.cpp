#include "collector/ingest/series_row.hpp"

#include <vector>

#include "common/wire/record.hpp"

namespace ward::collector {
namespace {

// No limit of the wire holds for what was once written: a rule's labels have others, and `tenant` comes to those of agents.
// The lengths of names and values take no more than the texts themselves.
constexpr std::size_t kMaxSeriesRow = 4 * kMaxLabelText;

}  // namespace

wire::Buffer series_row(const Labels& labels) {
  wire::Buffer bytes;
  wire::ByteWriter w(bytes);
  wire::write_labels(w, labels);
  return bytes;
}

std::optional<Labels> read_series_row(wire::ByteView row) {
  if (row.size() > kMaxSeriesRow) return std::nullopt;
  wire::ByteReader in(row);
  const auto count = in.varint();
  std::vector<Label> labels;
  for (std::uint64_t i = 0; in.ok() && i < count; ++i) {
    const auto name = in.text();
    const auto value = in.text();
    if (name.empty()) in.fail();
    if (in.ok()) labels.emplace_back(name, value);
  }
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return Labels{std::move(labels)};
}

}  // namespace ward::collector
