#include "collector/rehearsal/test_file.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "collector/promql/number.hpp"
#include "collector/promql/series_description.hpp"
#include "collector/rehearsal/test_notices.hpp"
#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

using config::Node;
using config::Section;

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

/// Of all series of a file; 16 bytes each.
constexpr std::size_t kMaxValues = 5'000'000;

class PlanReader {
 public:
  PlanReader(const std::string& path, TestFile& file, config::Problems& problems)
      : path_(path), file_(file), problems_(problems) {}

  void promtool_file(const Node& document) {
    Section root(document, "", problems_);
    if (document.kind() == Node::Kind::null) {
      problems_.add(document.at(), "there is no test in this file",
                    "Write rule_files and tests as promtool reads them, or name a rule file with a document 'kind: Test'.");
      return;
    }
    body(root, "", {});
    root.close();
  }

  void test_document(const Node& document) {
    Section root(document, "", problems_);
    root.choice("kind", {"Test"}, 0);
    root.choice("apiVersion", {"ward/v1"}, 0);
    auto metadata = root.child("metadata");
    const auto name = metadata.text("name", "");
    metadata.raw("annotations");
    metadata.close();
    auto spec = root.child("spec");
    body(spec, name, {path_});
    spec.close();
    root.close();
  }

 private:
  void body(Section& from, std::string name, std::vector<std::string> own_rules) {
    TestPlan plan;
    plan.at = from.at();
    plan.name = std::move(name);
    plan.rule_files = rule_files(from, std::move(own_rules));
    plan.evaluation_interval = from.duration("evaluation_interval", plan.evaluation_interval);
    if (plan.evaluation_interval == milliseconds{0}) plan.evaluation_interval = std::chrono::minutes{1};
    plan.group_order = from.texts("group_eval_order");
    std::set<std::string> ordered;
    for (const auto& group : plan.group_order)
      if (!ordered.insert(group).second)
        problems_.add(from.at("group_eval_order"), "group name repeated in evaluation order: " + group, "Name it once.");
    plan.fuzzy = from.flag("fuzzy_compare", false);
    for (auto& test : from.children("tests")) plan.groups.push_back(group(test, plan));
    if (!from.has("tests")) problems_.add(from.at(), "there are no 'tests'", "Add a list of tests.");
    file_.plans.push_back(std::move(plan));
  }

  [[nodiscard]] std::vector<std::string> rule_files(Section& from, std::vector<std::string> own) const {
    const bool given = from.has("rule_files");
    auto files = from.texts("rule_files");
    if (!given) return own;
    const auto folder = std::filesystem::path(path_).parent_path();
    for (auto& file : files)
      if (!file.empty() && file.front() != '/') file = (folder / file).lexically_normal().string();
    return files;
  }

  TestGroup group(Section& from, const TestPlan& plan) {
    TestGroup out;
    out.at = from.at();
    out.name = from.text("name", "");
    out.interval = from.duration("interval", plan.evaluation_interval);
    if (out.interval == milliseconds{0}) out.interval = plan.evaluation_interval;
    out.start = start(from);
    out.external_url = from.text("external_url", "");
    for (const auto& [name, value] : from.text_map("external_labels")) out.external_labels.set(name, value);
    for (auto& series : from.children("input_series")) add_series(series, out);
    for (auto& alert : from.children("input_alerts")) out.alerts.push_back(read_test_alert(alert));
    for (auto& test : from.children("alert_rule_test")) out.alert_cases.push_back(alert_case(test, out));
    for (auto& test : from.children("promql_expr_test")) out.query_cases.push_back(query_case(test));
    for (auto& test : from.children("notification_test")) out.notification_cases.push_back(read_notification_case(test));
    if (!out.alerts.empty() && out.notification_cases.empty())
      problems_.add(from.at(), "these input_alerts are seen by no notification_test",
                    "Add a notification_test, or let rules find alerts in input_series.");
    from.close();
    return out;
  }

  Time start(Section& from) {
    const auto text = from.text("start_timestamp", "");
    if (text.empty()) return Time{};
    if (const auto time = parse_time(text)) return *time;
    problems_.add(from.at("start_timestamp"), "'start_timestamp' is " + in_quotes(text) + ", which is no time",
                  "Write 2026-11-23T10:00:00Z or seconds since 1970.");
    return Time{};
  }

  void add_series(Section& from, TestGroup& group) {
    TestSeries out{.at = from.at("series"), .labels = {}, .values = {}};
    const auto name = from.text("series");
    const auto values = from.text("values", "");
    from.close();
    if (values.find("{{") != std::string::npos) {
      problems_.add(from.at("values"), "these values hold a native histogram, which Ward does not store",
                    "Test with classic histograms: one series a bucket, named ..._bucket with the label le.");
      return;
    }
    if (name.empty()) return;
    if (const auto metric = promql::parse_metric(name); !metric) {
      problems_.add(from.at("series"), in_quotes(name) + " is no series: " + metric.error().what,
                    "Write name{label=\"value\"}.");
      return;
    }
    auto parsed = promql::parse_series_description(name + " " + values);
    if (!parsed) {
      problems_.add(from.at("values"), parsed.error().what, parsed.error().fix);
      return;
    }
    values_ += parsed->values.size();
    if (values_ > kMaxValues) {
      if (values_ - parsed->values.size() <= kMaxValues)
        problems_.add(from.at("values"), "with these the file has more than 5000000 values", "Split the file.");
      return;
    }
    out.labels = std::move(parsed->labels);
    out.values = std::move(parsed->values);
    const auto twin = std::find_if(group.series.begin(), group.series.end(),
                                   [&](const TestSeries& earlier) { return earlier.labels == out.labels; });
    if (twin == group.series.end()) {
      group.series.push_back(std::move(out));
      return;
    }
    // As promtool does, which says nothing.
    file_.warnings.push_back(to_string(out.at) + ": " + to_string(out.labels) + " stands in line " +
                             std::to_string(twin->at.line) + " already; its values there are not used");
    *twin = std::move(out);
  }

  AlertCase alert_case(Section& from, const TestGroup& group) {
    AlertCase out;
    out.at = from.at();
    out.eval_time = from.duration("eval_time", milliseconds{0});
    out.alertname = from.text("alertname", "");
    if (out.alertname.empty())
      problems_.add(from.at(),
                    "an item under alert_rule_test misses required attribute alertname at eval_time " +
                        format_duration(out.eval_time) + (group.name.empty() ? "" : " (in TestGroup " + group.name + ")"),
                    "Add 'alertname: ...'.");
    for (auto& expected : from.children("exp_alerts")) {
      ExpectedAlert alert;
      for (const auto& [name, value] : expected.text_map("exp_labels")) alert.labels.set(name, value);
      alert.labels.set("alertname", out.alertname);
      for (const auto& [name, value] : expected.text_map("exp_annotations")) alert.annotations.set(name, value);
      expected.close();
      out.expected.push_back(std::move(alert));
    }
    std::sort(out.expected.begin(), out.expected.end());
    from.close();
    return out;
  }

  QueryCase query_case(Section& from) {
    QueryCase out;
    out.at = from.at();
    out.expr = from.text("expr");
    out.eval_time = from.duration("eval_time", milliseconds{0});
    for (auto& expected : from.children("exp_samples")) {
      ExpectedSample sample;
      const auto labels = expected.text("labels", "{}");
      if (auto parsed = promql::parse_metric(labels.empty() ? "{}" : labels))
        sample.labels = std::move(*parsed);
      else
        problems_.add(expected.at("labels"), "labels " + in_quotes(labels) + ": " + parsed.error().what,
                      "Write name{label=\"value\"} or {label=\"value\"}.");
      if (expected.has("histogram"))
        problems_.add(expected.at("histogram"), "a native histogram is expected here, which Ward does not store",
                      "Test with classic histograms, or let promtool run this test.");
      expected.raw("histogram");
      sample.value = value(expected);
      expected.close();
      out.expected.push_back(std::move(sample));
    }
    std::sort(out.expected.begin(), out.expected.end(), [](const auto& a, const auto& b) { return a.labels < b.labels; });
    from.close();
    return out;
  }

  /// A float as YAML writes it (.inf, -.Inf, .NaN) or as PromQL does.
  double value(Section& from) {
    const auto text = from.text("value", "0");
    std::string_view digits = text;
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    if (digits.starts_with('.') && digits.size() == 4 && std::isalpha(static_cast<unsigned char>(digits[1])) != 0)
      digits.remove_prefix(1);
    const auto parsed = digits.empty() ? Result<double>{fail(Errc::invalid, "", "")} : promql::parse_number(digits);
    if (parsed) return negative ? -*parsed : *parsed;
    problems_.add(from.at("value"), "'value' is " + in_quotes(text) + ", which is no number",
                  "Write it like 1, 0.5, 1e3, .inf or .nan.");
    return 0;
  }

  const std::string& path_;
  TestFile& file_;
  config::Problems& problems_;
  std::size_t values_ = 0;  ///< of all series so far
};

std::string kind_of(const Node& document) {
  for (const auto& [key, value] : document.entries())
    if (key == "kind") return value.scalar();
  return {};
}

bool has(const Node& document, std::string_view key) {
  return std::any_of(document.entries().begin(), document.entries().end(), [&](const auto& e) { return e.first == key; });
}

}  // namespace

Result<TestFile> parse_test_file(std::string_view text, const std::string& path) {
  const auto documents = config::parse_yaml(text, path);
  if (!documents) return fail(documents.error());
  TestFile file;
  config::Problems problems;
  PlanReader reader(path, file, problems);
  const auto& first = documents->front();
  if (!has(first, "groups") && kind_of(first).empty()) {
    reader.promtool_file(first);
  } else {
    for (const auto& document : *documents)
      if (kind_of(document) == "Test") reader.test_document(document);
    if (file.plans.empty())
      problems.add({path, 0, 0}, "no document of this rule file is a Test",
                   "Add one (kind: Test, apiVersion: ward/v1, spec: {tests: [...]}), or name the test file of the rules.");
  }
  if (!problems.empty()) return fail(problems.to_error());
  return file;
}

}  // namespace ward::collector
