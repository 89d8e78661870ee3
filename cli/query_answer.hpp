#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/model/labels.hpp"

namespace ward::cli {

/// A value as the API wrote it ("0.1", "+Inf"), so that no digit is lost on its way to the screen.
struct Point {
  Time time;
  std::string value;
};

/// One line of an answer: an instant vector has one point each, a scalar or a string no labels.
struct AnswerSeries {
  Labels labels;
  std::vector<Point> points;
};

enum class AnswerKind : std::uint8_t { bare, vector, matrix };

struct QueryAnswer {
  AnswerKind kind = AnswerKind::bare;
  std::vector<AnswerSeries> series;
  std::vector<std::string> warnings;  ///< warnings first, then what is only worth knowing
};

/// Reads the body of /api/v1/query and /api/v1/query_range; Errc::corrupt when it does not look as the API says.
Result<QueryAnswer> read_query_answer(const std::string& body);

enum class QueryOutput : std::uint8_t { table, csv, plot };

/// Seconds of a range and the distance of its points: a gap is where a point is missing.
struct QueryRange {
  Time start;
  Time end;
  milliseconds step{};
};

/// What people see: aligned columns.
std::string to_table(const QueryAnswer& answer);
/// For spreadsheets and scripts: `time`, one column a label, `value` (RFC 4180, lines end with "\r\n").
std::string to_csv(const QueryAnswer& answer);
/// One small chart of Braille dots a series on a common scale, `columns` characters wide: what rises together is seen at
/// once.
std::string to_plot(const QueryAnswer& answer, const QueryRange& range, std::size_t columns);

}  // namespace ward::cli
