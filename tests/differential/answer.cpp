// Ward's half of the differential test: loads samples written as OpenMetrics text (the few forms that data.py writes), then
// answers each query of standard input, a JSON object a line, with a JSON object a line in the shape of Prometheus' API.
#include <charconv>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "collector/promql/engine.hpp"
#include "collector/promql/number.hpp"
#include "collector/tsdb/head.hpp"

namespace ward::test {
namespace {

using nlohmann::json;
using promql::format_number;

double number(const std::string& text) {
  const bool negative = text.starts_with('-');
  const auto value = promql::parse_number(text.substr(negative || text.starts_with('+') ? 1 : 0));
  if (!value) throw std::runtime_error("not a number: " + text);
  return negative ? -*value : *value;
}

Time time_of(double seconds) { return from_ms(static_cast<std::int64_t>(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5))); }

/// `name{a="b",c="d"} value seconds`
void load_line(collector::Head& head, const std::string& line) {
  const auto open = line.find('{');
  const auto close = line.find("} ");
  std::vector<Label> labels{{std::string(kNameLabel), line.substr(0, open)}};
  for (auto at = open + 1; at < close;) {
    const auto equals = line.find("=\"", at);
    const auto quote = line.find('"', equals + 2);
    labels.emplace_back(line.substr(at, equals - at), line.substr(equals + 2, quote - equals - 2));
    at = quote + 2;
  }
  const auto blank = line.find(' ', close + 2);
  const Sample sample{time_of(std::stod(line.substr(blank + 1))), number(line.substr(close + 2, blank - close - 2))};
  const std::vector<collector::RefSample> one{{head.get_or_create(Labels{std::move(labels)}), sample}};
  if (head.append(one).appended != 1) throw std::runtime_error("not taken: " + line);
}

json metric_of(const Labels& labels) {
  json out = json::object();
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

json point(Time time, double value) { return json::array({static_cast<double>(to_ms(time)) / 1000, format_number(value)}); }

json matrix_of(const promql::Matrix& matrix) {
  json out = json::array();
  for (const auto& series : matrix) {
    json values = json::array();
    for (const auto& sample : series.samples) values.push_back(point(sample.t, sample.v));
    out.push_back({{"metric", metric_of(series.labels)}, {"values", std::move(values)}});
  }
  return out;
}

json success(const char* type, json result) {
  return {{"status", "success"}, {"data", {{"resultType", type}, {"result", std::move(result)}}}};
}
json refused(const Error& error) { return {{"status", "error"}, {"error", error.what}}; }

json answer(const promql::Engine& engine, const collector::Head& head, const json& query) {
  const auto expr = promql::parse(query.at("query").get<std::string>());
  if (!expr) return refused(expr.error());
  if (query.contains("step")) {
    const promql::RangeSpec spec{time_of(query.at("start").get<double>()), time_of(query.at("end").get<double>()),
                                 milliseconds{query.at("step").get<std::int64_t>() * 1000}};
    const auto matrix = engine.range(*expr, head, spec);
    return matrix ? success("matrix", matrix_of(*matrix)) : refused(matrix.error());
  }
  const auto at = time_of(query.at("time").get<double>());
  const auto value = engine.instant(*expr, head, at);
  if (!value) return refused(value.error());
  if (const auto* scalar = std::get_if<double>(&*value)) return success("scalar", point(at, *scalar));
  if (const auto* matrix = std::get_if<promql::Matrix>(&*value)) return success("matrix", matrix_of(*matrix));
  if (const auto* text = std::get_if<std::string>(&*value)) return success("string", json::array({to_ms(at) / 1000, *text}));
  json result = json::array();
  for (const auto& element : std::get<promql::Vector>(*value))
    result.push_back({{"metric", metric_of(element.labels)}, {"value", point(at, element.value)}});
  return success("vector", std::move(result));
}

int run(const char* samples) {
  collector::Head head{{milliseconds{0}}};
  std::ifstream in(samples);
  for (std::string line; std::getline(in, line);)
    if (!line.starts_with('#')) load_line(head, line);
  const auto clock = real_clock();
  const promql::Engine engine{*clock};
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(engine, head, json::parse(line)).dump() << '\n';
  return 0;
}

}  // namespace
}  // namespace ward::test

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "Usage: ward_answer_queries SAMPLES.om <queries.jsonl; ./dev diff runs it.\n";
    return 2;
  }
  try {
    return ward::test::run(argv[1]);
  } catch (const std::exception& e) {
    std::cerr << "ward_answer_queries: " << e.what() << '\n';
    return 2;
  }
}
