#include "collector/rulebook/baselines.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "collector/promql/parser.hpp"
#include "common/base/duration.hpp"
#include "common/base/parse.hpp"
#include "common/timezone/timezone.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;

/// Half of the default lookback: a recorded value must still be in sight when the next one is late.
constexpr milliseconds kLongestInterval = std::chrono::seconds{150};
/// A deviation of this many MAD is one standard deviation where values are spread normally.
constexpr double kSigma = 1.4826;

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.10g", value);
  return text.data();
}

/// 0.95 is p95, 0.999 is p99_9.
std::string quantile_name(double q) {
  auto text = number(q * 100);
  std::replace(text.begin(), text.end(), '.', '_');
  return "p" + text;
}

bool is_part_of_a_name(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

class Reader {
 public:
  Reader(config::Section& document, const ExpressionCompiler& compiler) : document_(document), compiler_(compiler) {}

  RuleGroup run() {
    document_.choice("kind", {"Baseline"}, 0);
    document_.choice("apiVersion", {"ward/v1"}, 0);
    auto metadata = document_.child("metadata");
    const auto name = metadata.text("name");
    if (!name.empty() && !is_part_of_a_name(name))
      metadata.problems().add(metadata.at("name"), "'" + name + "' cannot be a part of a metric's name",
                              "Use letters, digits and '_': the series are called ward_baseline:NAME:p95.");
    metadata.close();
    auto spec = document_.child("spec");
    group_.file = document_.at().file;
    group_.name = "baseline:" + name;
    read_spec(spec, "ward_baseline:" + name + ":");
    spec.close();
    document_.close();
    return std::move(group_);
  }

 private:
  void read_spec(config::Section& spec, const std::string& prefix) {
    const auto expr = value_of(spec);
    const auto options = read_options(spec);
    group_.interval = spec.duration("interval", 1min, 1s);
    if (group_.interval > kLongestInterval)
      spec.problems().add(spec.at("interval"),
                          "recorded each " + format_duration(group_.interval) + " it would be out of sight in between",
                          "Use 2m30s or less; the past is read once an hour, whatever the interval.");
    labels_ = spec.text_map("labels");
    for (const auto& [label, value] : labels_)
      if (!is_part_of_a_name(label) || std::isdigit(static_cast<unsigned char>(label.front())) != 0 || label == kNameLabel)
        spec.problems().add(spec.at("labels"), "'" + label + "' is no label name that can be set",
                            "Use letters, digits and '_'.");
    const auto quantiles = quantiles_of(spec);
    const auto band = spec.has("band") ? spec.real("band", 4) : 0;
    spec.raw("band");
    if (spec.has("band") && band <= 0)
      spec.problems().add(spec.at("band"), "a band must be wider than nothing", "Use 4, or more for fewer alerts.");
    if (expr.empty()) return;
    for (const auto& text : quantiles)
      add(spec, prefix + quantile_name(*to_double(text)), "ward_baseline(" + expr + ", " + text + options + ")");
    if (band <= 0) return;
    const auto middle = "ward_baseline(" + expr + ", 0.5" + options + ")";
    const auto width = number(band * kSigma) + " * ward_baseline_mad(" + expr + options + ")";
    add(spec, prefix + "upper", middle + " + " + width);
    add(spec, prefix + "lower", middle + " - " + width);
  }

  /// The user's expression as PromQL prints it, so that it can stand within a call; "" when it is none of values.
  static std::string value_of(config::Section& spec) {
    const auto text = spec.text("expr");
    if (text.empty()) return {};
    const auto expr = promql::parse(text);
    if (!expr)
      spec.problems().add(spec.at("expr"), "could not parse expression: " + expr.error().what, "Mend the expression.");
    else if (expr->type() != promql::ValueType::vector)
      spec.problems().add(spec.at("expr"),
                          "the expression yields a " + std::string(documented(expr->type())) + ", not one value a series",
                          "Write one value a series, like sum by (tenant) (jobs).");
    else
      return to_string(*expr);
    return {};
  }

  std::string read_options(config::Section& spec) {
    std::string out;
    const auto add = [&](const char* key, const std::string& option, std::uint64_t min, std::uint64_t max) {
      const auto value = spec.whole(key, min, min, max);
      if (spec.has(key)) out += ", \"" + option + "=" + std::to_string(value) + "\"";
    };
    add("weeks", "weeks", 3, 52);
    add("monthEnd", "month_end", 0, 5);
    add("months", "months", 3, 24);
    if (const auto zone = spec.text("tz", ""); !zone.empty()) {
      const auto known = TimeZone::find(zone);
      if (!known) spec.problems().add(spec.at("tz"), known.error().what, known.error().fix);
      if (known) out += ", \"tz=" + zone + "\"";
    }
    return out;
  }

  static std::vector<std::string> quantiles_of(config::Section& spec) {
    auto out = spec.texts("quantiles");
    if (!spec.has("quantiles")) out = {"0.5", "0.95"};
    for (auto& text : out) {
      const auto value = to_double(text);
      if (value && *value >= 0 && *value <= 1) continue;
      spec.problems().add(spec.at("quantiles"), "'" + text + "' is no quantile", "Write shares like 0.5 and 0.95.");
      text = "0.5";
    }
    return out;
  }

  void add(config::Section& spec, const std::string& name, const std::string& expr) {
    auto compiled = compiler_.compile(expr);
    if (!compiled) {
      spec.problems().add(spec.at("expr"), "could not parse expression: " + compiled.error().what, "Mend the document.");
      return;
    }
    Rule rule;
    rule.kind = Rule::Kind::record;
    rule.name = name;
    rule.expr = expr;
    rule.expression = std::move(*compiled);
    rule.interval = group_.interval;
    for (const auto& [key, value] : labels_) rule.labels.emplace_back(key, Template::plain(value));
    const auto file = group_.file.substr(group_.file.rfind('/') + 1);
    rule.generator = file + ": group \"" + group_.name + "\", rule \"" + name + "\"";
    rule.place = to_string(document_.at()) + ": group \"" + group_.name + "\", rule " +
                 std::to_string(group_.rules.size() + 1) + ", \"" + name + "\": ";
    rule.identity = name + "/" + fingerprint(Labels{{"expr", expr}, {"labels", fingerprint(Labels{labels_})}});
    const bool twice = std::any_of(group_.rules.begin(), group_.rules.end(), [&](const Rule& r) { return r.name == name; });
    if (twice) spec.problems().add(spec.at("quantiles"), "'" + name + "' is recorded twice", "Name each quantile once.");
    group_.rules.push_back(std::move(rule));
  }

  config::Section& document_;
  const ExpressionCompiler& compiler_;
  RuleGroup group_;
  std::vector<std::pair<std::string, std::string>> labels_;
};

}  // namespace

RuleGroup read_baseline_document(config::Section& document, const ExpressionCompiler& compiler) {
  return Reader{document, compiler}.run();
}

}  // namespace ward::collector
