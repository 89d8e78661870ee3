// Small multiples: a chart a series on one scale. Lines that cross on one chart cannot be told apart without colours.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

#include "cli/query_answer.hpp"
#include "cli/table.hpp"
#include "common/base/duration.hpp"

namespace ward::cli {
namespace {

constexpr std::size_t kCharts = 12;  ///< more do not fit on a screen
constexpr std::size_t kScaleWidth = 10;

struct Scale {
  double low = 0;
  double high = 0;
};

std::optional<double> number(const std::string& text) {
  if (text == "NaN" || text == "+Inf" || text == "-Inf") return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// At most nine characters, as people read them: 3.1, 1200, 4.2e+09.
std::string brief(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

std::string right_aligned(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

/// Braille: each character holds two columns and four rows of dots (Unicode block U+2800).
class Canvas {
 public:
  Canvas(std::size_t columns, std::size_t rows) : columns_(columns), rows_(rows), cells_(columns * rows) {}
  [[nodiscard]] std::size_t width() const { return columns_ * 2; }
  [[nodiscard]] std::size_t height() const { return rows_ * 4; }
  /// `y` counts from the bottom.
  void dot(std::size_t x, std::size_t y) {
    static constexpr std::array<std::array<unsigned, 4>, 2> kBits{{{0x40, 0x04, 0x02, 0x01}, {0x80, 0x20, 0x10, 0x08}}};
    cells_[(rows_ - 1 - y / 4) * columns_ + x / 2] |= kBits[x % 2][y % 4];
  }
  [[nodiscard]] std::string row(std::size_t row) const {
    std::string out;
    for (std::size_t c = 0; c < columns_; ++c) {
      const auto bits = cells_[row * columns_ + c];
      // UTF-8 of U+2800 + bits.
      out += {static_cast<char>(0xE2), static_cast<char>(0xA0U | (bits >> 6U)), static_cast<char>(0x80U | (bits & 0x3FU))};
    }
    return out;
  }

 private:
  std::size_t columns_, rows_;
  std::vector<unsigned> cells_;
};

/// One value a column of dots: the last of those that fall there; nothing where the series has no point.
std::vector<std::optional<double>> columns_of(const AnswerSeries& series, const QueryRange& range, std::size_t width) {
  std::vector<std::optional<double>> out(width);
  const auto span = std::max<double>(1, static_cast<double>((range.end - range.start).count()));
  // Fewer points than columns: each fills the columns up to the next, as the value was taken to hold for one step.
  const auto reach = static_cast<double>(range.step.count()) / span * static_cast<double>(width - 1);
  for (const auto& point : series.points) {
    const auto value = number(point.value);
    if (!value || point.time < range.start || point.time > range.end) continue;
    const auto from = static_cast<double>((point.time - range.start).count()) / span * static_cast<double>(width - 1);
    const auto first = static_cast<std::size_t>(from);
    const auto last = std::min(width - 1, static_cast<std::size_t>(std::max(from, from + reach - 1)));
    for (std::size_t x = first; x <= last; ++x) out[x] = value;
  }
  return out;
}

void draw(Canvas& canvas, const std::vector<std::optional<double>>& columns, Scale scale) {
  const auto height_of = [&](double value) {
    const auto part = scale.high > scale.low ? (value - scale.low) / (scale.high - scale.low) : 0.5;
    return static_cast<std::size_t>(std::lround(part * static_cast<double>(canvas.height() - 1)));
  };
  std::optional<std::size_t> before;
  for (std::size_t x = 0; x < columns.size(); ++x) {
    if (!columns[x]) {
      before.reset();
      continue;
    }
    const auto y = height_of(*columns[x]);
    // A jump is drawn as a line, beginning next to where the value was.
    auto at = before ? *before : y;
    if (at < y) ++at;
    if (at > y) --at;
    for (auto to = std::min(at, y); to <= std::max(at, y); ++to) canvas.dot(x, to);
    before = y;
  }
}

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  [[nodiscard]] bool empty() const { return low > high; }
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

Extent extent_of(const AnswerSeries& series) {
  Extent extent;
  for (const auto& point : series.points)
    if (const auto value = number(point.value)) extent.add(*value);
  return extent;
}

std::string title_of(const AnswerSeries& series) {
  const auto extent = extent_of(series);
  const auto last = series.points.empty() ? std::string("-") : series.points.back().value;
  Table line{{}};
  line.add({to_string(series.labels), "min " + (extent.empty() ? "-" : brief(extent.low)),
            "max " + (extent.empty() ? "-" : brief(extent.high)), "last " + last});
  return line.to_text();
}

/// The ends of the scale beside the first and the last row; a flat line has one value.
std::string scale_label(const std::optional<Scale>& scale, std::size_t row, std::size_t rows) {
  if (!scale) return "";
  if (scale->low == scale->high) return row == rows / 2 - (rows % 2 == 0 ? 1 : 0) ? brief(scale->low) : "";
  return row == 0 ? brief(scale->high) : row + 1 == rows ? brief(scale->low) : "";
}

std::string time_axis(const QueryRange& range, std::size_t columns) {
  const auto left = format_time(range.start).substr(0, 19) + "Z";
  const auto right = format_time(range.end).substr(0, 19) + "Z";
  const auto room = columns > left.size() + right.size() ? columns - left.size() - right.size() : 1;
  return std::string(kScaleWidth + 1, ' ') + left + std::string(room, ' ') + right + "\n";
}

}  // namespace

std::string to_plot(const QueryAnswer& answer, const QueryRange& range, std::size_t columns) {
  if (answer.series.empty()) return "No series match.\n";
  const auto shown = std::min(answer.series.size(), kCharts);
  const std::size_t rows = shown == 1 ? 12 : shown <= 4 ? 5 : 3;
  const auto chart = std::max<std::size_t>(columns, kScaleWidth + 20) - kScaleWidth - 1;
  Extent all;
  for (std::size_t i = 0; i < shown; ++i)
    if (const auto extent = extent_of(answer.series[i]); !extent.empty()) {
      all.add(extent.low);
      all.add(extent.high);
    }
  const auto scale = all.empty() ? std::nullopt : std::optional<Scale>{{all.low, all.high}};
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) {
    Canvas canvas(chart, rows);
    if (scale) draw(canvas, columns_of(answer.series[i], range, canvas.width()), *scale);
    out += title_of(answer.series[i]);
    for (std::size_t row = 0; row < rows; ++row) {
      out += right_aligned(scale_label(scale, row, rows), kScaleWidth) + " " + canvas.row(row) + "\n";
    }
  }
  out += time_axis(range, chart);
  if (shown < answer.series.size())
    out += "Not shown: " + std::to_string(answer.series.size() - shown) +
           " more series. Narrow the expression, or use topk().\n";
  return out;
}

}  // namespace ward::cli
