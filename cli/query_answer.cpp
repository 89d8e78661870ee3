#include "cli/query_answer.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/table.hpp"
#include "common/base/duration.hpp"

namespace ward::cli {
namespace {

using nlohmann::json;

/// A sample is [seconds, "value"].
Point point_of(const json& sample) {
  return {from_ms(std::llround(sample.at(0).get<double>() * 1000.0)), sample.at(1).get<std::string>()};
}

Labels labels_of(const json& metric) {
  std::vector<Label> labels;
  for (const auto& [name, value] : metric.items()) labels.emplace_back(name, value.get<std::string>());
  return Labels{std::move(labels)};
}

QueryAnswer answer_of(const json& body) {
  QueryAnswer out;
  const auto& data = body.at("data");
  const auto type = data.at("resultType").get<std::string>();
  const auto& result = data.at("result");
  if (type == "scalar" || type == "string") {
    out.series.push_back({{}, {point_of(result)}});
  } else {
    out.kind = type == "matrix" ? AnswerKind::matrix : AnswerKind::vector;
    for (const auto& one : result) {
      AnswerSeries series{labels_of(one.at("metric")), {}};
      if (out.kind == AnswerKind::vector)
        series.points.push_back(point_of(one.at("value")));
      else
        for (const auto& sample : one.at("values")) series.points.push_back(point_of(sample));
      out.series.push_back(std::move(series));
    }
  }
  for (const auto* key : {"warnings", "infos"})
    for (const auto& sentence : body.value(key, json::array())) out.warnings.push_back(sentence.get<std::string>());
  return out;
}

std::string csv_cell(std::string_view cell) {
  if (cell.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(cell);
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

}  // namespace

Result<QueryAnswer> read_query_answer(const std::string& body) {
  try {
    return answer_of(json::parse(body));
  } catch (const json::exception&) {
    return fail(Errc::corrupt, "The collector's answer to the query is not understood",
                "Use wardctl and collector of one version.");
  }
}

std::string to_table(const QueryAnswer& answer) {
  std::vector<std::string> header;
  if (answer.kind == AnswerKind::vector) header = {"SERIES", "VALUE"};
  if (answer.kind == AnswerKind::matrix) header = {"SERIES", "TIME", "VALUE"};
  Table table{std::move(header)};
  for (const auto& series : answer.series)
    for (const auto& point : series.points) {
      std::vector<std::string> row;
      if (answer.kind != AnswerKind::bare) row.push_back(to_string(series.labels));
      if (answer.kind == AnswerKind::matrix) row.push_back(format_time(point.time));
      row.push_back(point.value);
      table.add(std::move(row));
    }
  return table.empty() ? "No series match.\n" : table.to_text();
}

std::string to_csv(const QueryAnswer& answer) {
  std::set<std::string> names;
  for (const auto& series : answer.series)
    for (const auto& label : series.labels) names.insert(label.first);
  std::string out = "time";
  for (const auto& name : names) out += ',' + csv_cell(name);
  out += ",value\r\n";
  for (const auto& series : answer.series) {
    std::string labels;
    for (const auto& name : names) labels += ',' + csv_cell(series.labels.get(name));
    for (const auto& point : series.points) out += format_time(point.time) + labels + ',' + csv_cell(point.value) + "\r\n";
  }
  return out;
}

}  // namespace ward::cli
