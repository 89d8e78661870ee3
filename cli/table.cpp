#include "cli/table.hpp"

#include <algorithm>

#include "common/telemetry/log_format.hpp"

namespace ward::cli {
namespace {

/// Characters, not bytes; printable() has left valid UTF-8 only.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

void Table::add(std::vector<std::string> row) {
  for (auto& cell : row) cell = telemetry::printable(cell);
  rows_.push_back(std::move(row));
}

std::string Table::to_text() const {
  std::vector<const std::vector<std::string>*> lines;
  if (!header_.empty() && !rows_.empty()) lines.push_back(&header_);
  for (const auto& row : rows_) lines.push_back(&row);

  std::vector<std::size_t> widths;
  for (const auto* line : lines) {
    widths.resize(std::max(widths.size(), line->size()));
    for (std::size_t i = 0; i < line->size(); ++i) widths[i] = std::max(widths[i], width((*line)[i]));
  }
  std::string out;
  for (const auto* line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line->size(); ++i) text += (*line)[i] + std::string(widths[i] - width((*line)[i]) + 2, ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  }
  return out;
}

}  // namespace ward::cli
