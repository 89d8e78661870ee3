#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/event/alert.hpp"
#include "collector/event/incident.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/config/node.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// A series and its values at equal distances; nullopt is a gap.
struct TestSeries {
  config::Position at;
  Labels labels;
  std::vector<std::optional<double>> values;
};

struct ExpectedAlert {
  Labels labels;  ///< with alertname
  Labels annotations;
  friend auto operator<=>(const ExpectedAlert&, const ExpectedAlert&) = default;
  friend bool operator==(const ExpectedAlert&, const ExpectedAlert&) = default;
};

/// Which alerts of this name must fire at a time, and no other ones.
struct AlertCase {
  config::Position at;
  milliseconds eval_time{0};
  std::string alertname;
  std::vector<ExpectedAlert> expected;  ///< sorted
};

struct ExpectedSample {
  Labels labels;
  double value = 0;
};

/// What a query must yield at a time.
struct QueryCase {
  config::Position at;
  milliseconds eval_time{0};
  std::string expr;
  std::vector<ExpectedSample> expected;  ///< sorted by labels
};

/// An alert that comes from elsewhere, or whose rule is not the point: what it does and when. Times count from the start
/// of the test.
struct TestAlert {
  config::Position at;
  Labels labels;
  Labels annotations;
  struct Change {
    milliseconds after{0};
    AlertPhase phase = AlertPhase::pending;
    friend bool operator==(const Change&, const Change&) = default;
  };
  std::vector<Change> changes;  ///< rising
};

/// A message somebody must have got, and the incident it is about as it stands at the time of the case. What is not said is
/// not looked at.
struct ExpectedNotice {
  config::Position at;
  std::optional<NoticeKind> kind;                   ///< nullopt: a page, be it a fire or an escalation
  std::string to;                                   ///< receiver
  std::optional<std::string> root;                  ///< alert name of the cause
  std::optional<AlertClass> cls;                    ///< of the incident
  std::optional<std::string> owner;                 ///< of the incident
  std::optional<std::vector<std::string>> absorbs;  ///< names of all its other alerts, sorted
  std::optional<std::vector<std::string>> tenants;  ///< of all its alerts, sorted
  Labels scope;                                     ///< labels of the cause that must be these
};

/// Who must have heard what from the start of the test to a time, and nobody else anything else.
struct NotificationCase {
  config::Position at;
  milliseconds until{0};
  std::optional<std::size_t> total;     ///< pages (fires and escalations) so far
  std::optional<std::size_t> resolves;  ///< ends told so far
  std::optional<std::size_t> open;      ///< incidents still open
  std::vector<ExpectedNotice> expected;
};

struct TestGroup {
  config::Position at;
  std::string name;
  milliseconds interval{0};
  Time start;
  std::vector<TestSeries> series;
  std::vector<TestAlert> alerts;
  std::vector<AlertCase> alert_cases;
  std::vector<QueryCase> query_cases;
  std::vector<NotificationCase> notification_cases;
  Labels external_labels;
  std::string external_url;
};

/// One test file of promtool, or one Test document of a rule file.
struct TestPlan {
  config::Position at;
  std::string name;                     ///< of the document; "" for a file of promtool
  std::vector<std::string> rule_files;  ///< paths and globs, from the test file's folder
  milliseconds evaluation_interval{std::chrono::minutes{1}};
  std::vector<std::string> group_order;
  bool fuzzy = false;  ///< values may differ in the last bit
  std::vector<TestGroup> groups;
};

struct TestFile {
  std::vector<TestPlan> plans;
  std::vector<std::string> warnings;  ///< with their places
};

/// Reads promtool's unit-test format, and Ward's `kind: Test` documents out of a rule file, strictly: every unknown key, bad
/// series value, time or label set is in the error, one line each with its place, and so is a native histogram, which Ward
/// does not store. `path` is also where relative rule files count from.
Result<TestFile> parse_test_file(std::string_view text, const std::string& path);

}  // namespace ward::collector
