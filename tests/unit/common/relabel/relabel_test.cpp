#include "common/relabel/relabel.hpp"

#include <gtest/gtest.h>
#include <optional>
#include <re2/re2.h>
#include <stdexcept>

namespace ward {
namespace {

struct Read {
  std::vector<RelabelRule> rules;
  std::string problems;
};
Read read(const std::string& list) {
  const auto documents = config::parse_yaml("metric_relabel:\n" + list, "agent.yaml");
  if (!documents) throw std::logic_error(documents.error().what);
  config::Problems problems;
  config::Section target(documents->front(), "targets[0]", problems);
  Read out;
  out.rules = read_relabelling(target, "metric_relabel");
  target.close();
  out.problems = problems.to_text();
  return out;
}

/// The series after the rules; nullopt when it was dropped.
std::optional<Labels> relabelled(const std::string& list, Labels series) {
  const auto got = read(list);
  EXPECT_EQ(got.problems, "");
  if (!relabel(got.rules, series)) return std::nullopt;
  return series;
}

const Labels kSeries{{"__name__", "http_requests_total"}, {"code", "200"}, {"path", "/web/health"}};

TEST(Relabel, KeepsAndDropsByTheWholeText) {
  EXPECT_TRUE(relabelled("- {action: keep, source_labels: [__name__], regex: 'http_.*'}\n", kSeries));
  EXPECT_FALSE(relabelled("- {action: keep, source_labels: [__name__], regex: 'http_'}\n", kSeries));
  EXPECT_FALSE(relabelled("- {action: drop, source_labels: [code, path], regex: '200;/web/.*'}\n", kSeries));
  EXPECT_TRUE(relabelled("- {action: drop, source_labels: [code], regex: '20'}\n", kSeries));
  EXPECT_FALSE(relabelled("- {action: drop, source_labels: [no_such], regex: ''}\n", kSeries));
}

TEST(Relabel, DropsAndKeepsLabels) {
  EXPECT_EQ(relabelled("- {action: labeldrop, regex: 'c.*|pa'}\n", kSeries), kSeries.without("code"));
  EXPECT_EQ(relabelled("- {action: labelkeep, regex: '__name__|code'}\n", kSeries), kSeries.without("path"));
}

TEST(Relabel, ReplacesByWhatMatched) {
  const auto area = [](const std::string& rest) {
    return relabelled("- {source_labels: [path], regex: '/(?P<area>[a-z]+)/(.*)', target_label: area, " + rest + "}\n",
                      kSeries);
  };
  EXPECT_EQ(area("action: replace"), kSeries.with("area", "web"));
  EXPECT_EQ(area("replacement: '${2}_$area'"), kSeries.with("area", "health_web"));
  EXPECT_EQ(area("replacement: 'x$1x'"), kSeries.with("area", "x")) << "a group named 1x";
  EXPECT_EQ(area("replacement: '$$1$'"), kSeries.with("area", "$1$"));
  EXPECT_EQ(area("replacement: '${1'"), kSeries.with("area", "${1"));
}

TEST(Relabel, LeavesASeriesThatDoesNotMatch) {
  EXPECT_EQ(relabelled("- {source_labels: [path], regex: 'x(.*)', target_label: code}\n", kSeries), kSeries);
}

TEST(Relabel, RemovesALabelByAnEmptyReplacement) {
  EXPECT_EQ(relabelled("- {target_label: code, replacement: ''}\n", kSeries), kSeries.without("code"));
}

TEST(Relabel, NamesTheTargetByAGroup) {
  EXPECT_EQ(relabelled("- {source_labels: [code], regex: '(.)(.*)', target_label: 'is_$1', replacement: '$2'}\n", kSeries),
            kSeries.with("is_2", "00"));
  EXPECT_EQ(relabelled("- {source_labels: [code], regex: '(x?).*', target_label: '$1', replacement: y}\n", kSeries),
            kSeries);
}

TEST(Relabel, MatchesLineBreaks) {
  const Labels two_lines = kSeries.with("path", "a\nb");
  EXPECT_FALSE(relabelled("- {action: drop, source_labels: [path], regex: 'a.*'}\n", two_lines));
}

TEST(Relabel, GoesThroughTheRulesInTurn) {
  EXPECT_FALSE(relabelled(
      "- {source_labels: [code], target_label: status}\n- {action: drop, source_labels: [status], regex: '2..'}\n",
      kSeries));
}

TEST(Relabel, RefusesWhatDoesNothingOrTooMuch) {
  struct Case {
    std::string rule, says;
  };
  const std::vector<Case> table{
      {"- {regex: '(', target_label: x}", "'regex' is not a regular expression"},
      {"- {source_labels: [a]}", "'target_label' is missing"},
      {"- {action: keep, regex: x}", "'source_labels' is missing"},
      {"- {action: labeldrop, source_labels: [a], regex: x}", "look at names"},
      {"- {action: drop, source_labels: [a], target_label: b}", "only 'replace' has"},
      {"- {action: Keep, source_labels: [a]}", "action"},
      {"- {action: hashmod, source_labels: [a]}", "action"},
      {"- {action: keep, source_label: [a]}", "source_label"},
  };
  for (const auto& [rule, says] : table)
    EXPECT_NE(read(rule + "\n").problems.find(says), std::string::npos) << rule << "\n" << read(rule + "\n").problems;
}

}  // namespace
}  // namespace ward
