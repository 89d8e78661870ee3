#include "collector/rehearsal/test_run.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>
#include <set>
#include <tuple>

#include "collector/rehearsal/expectation_text.hpp"
#include "collector/rehearsal/notice_check.hpp"
#include "collector/rehearsal/rehearsal.hpp"
#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

bool same_value(double a, double b, bool fuzzy) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  const auto infinity = std::numeric_limits<double>::infinity();
  return fuzzy && (std::nextafter(a, infinity) == b || std::nextafter(a, -infinity) == b);
}

/// promtool's order: groups that are not named count as the first.
std::vector<std::size_t> ordered(const RuleSet& rules, const std::vector<std::string>& names) {
  std::vector<std::size_t> order(rules.groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto rank = [&](std::size_t group) {
    const auto at = std::find(names.begin(), names.end(), rules.groups[group].name);
    return at == names.end() ? 0 : at - names.begin();
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rank(a) < rank(b); });
  return order;
}

/// Each minute must be judged.
constexpr milliseconds kLongestSloTick = std::chrono::minutes{1};

promql::EngineOptions query_options(const TestPlan& plan) {
  promql::EngineOptions out;
  out.subquery_step = plan.evaluation_interval;
  return out;
}

AlertEvent event_of(const TestAlert& alert, std::size_t change, Time start) {
  AlertEvent out;
  out.labels = alert.labels;
  out.annotations = alert.annotations;
  out.generator = to_string(alert.at);
  // An alert is active from its first pending or firing since it last was well.
  for (std::size_t i = 0; i <= change; ++i) {
    const auto at = start + alert.changes[i].after;
    const bool anew = i == 0 || alert.changes[i - 1].phase == AlertPhase::resolved;
    if (anew) {
      out.active_at = at;
      out.fired_at = {};
      out.resolved_at = {};
    }
    out.phase = alert.changes[i].phase;
    if (out.phase == AlertPhase::firing) out.fired_at = at;
    if (out.phase == AlertPhase::resolved) out.resolved_at = at;
  }
  return out;
}

/// SLOs as a test judges them: one that it has no samples of is not absent, but not its matter.
slo::SloSet slos_for(const TestGroup& group, const Rulebook* book) {
  auto out = book == nullptr ? slo::SloSet{} : book->slos;
  for (auto& spec : out.slos) {
    const RuleReads reads(RuleSet{}, {.slos = {spec}, .services = {}});
    const auto fed = [&](const TestSeries& s) { return reads.counts(s.labels) || reads.wants(s.labels); };
    if (std::none_of(group.series.begin(), group.series.end(), fed)) spec.absent_after = milliseconds{0};
  }
  return out;
}

/// One test: its samples are put in as time reaches them, so that no rule sees what has not happened yet.
class GroupRun {
 public:
  GroupRun(Sandbox& sandbox, const TestPlan& plan, const TestGroup& group, std::shared_ptr<const RuleSet> rules,
           std::shared_ptr<const Rulebook> book)
      : sandbox_(sandbox),
        plan_(plan),
        group_(group),
        order_(ordered(*rules, plan.group_order)),
        rehearsal_(sandbox,
                   {.rules = std::move(rules),
                    .external_labels = group.external_labels,
                    .external_url = group.external_url,
                    .book = book,
                    .slos = slos_for(group, book.get()),
                    .slo_tick = std::min(plan.evaluation_interval, kLongestSloTick),
                    .pages = !group.notification_cases.empty()},
                   group.start) {}

  TestResult run() {
    for (const auto& alert : group_.alerts)
      for (std::size_t i = 0; i < alert.changes.size(); ++i) told_.push_back({&alert, i});
    std::stable_sort(told_.begin(), told_.end(), [](const auto& a, const auto& b) { return a.after() < b.after(); });
    const auto last = last_time();
    for (milliseconds at{0}; at <= last; at += plan_.evaluation_interval) {
      const auto until = std::min(last, at + plan_.evaluation_interval - milliseconds{1});
      feed(at);
      if (!evaluate(at)) return std::move(result_);
      check_alerts(at);
      between(at, until);
    }
    for (const auto& test : group_.query_cases) check_query(test);
    return std::move(result_);
  }

  [[nodiscard]] const Rehearsal& rehearsal() const { return rehearsal_; }

 private:
  struct Told {
    const TestAlert* alert;
    std::size_t change;
    [[nodiscard]] milliseconds after() const { return alert->changes[change].after; }
  };

  [[nodiscard]] milliseconds last_time() const {
    milliseconds last{0};
    for (const auto& test : group_.alert_cases) last = std::max(last, test.eval_time);
    for (const auto& test : group_.query_cases) last = std::max(last, test.eval_time);
    for (const auto& test : group_.notification_cases) last = std::max(last, test.until);
    return last;
  }

  void feed(milliseconds until) {
    const auto end = static_cast<std::size_t>(until / group_.interval) + 1;
    for (const auto& series : group_.series) {
      std::vector<Sample> samples;
      for (auto i = fed_; i < std::min(end, series.values.size()); ++i)
        if (const auto& value = series.values[i])
          samples.push_back({group_.start + group_.interval * static_cast<std::int64_t>(i), *value});
      if (samples.empty()) continue;
      sandbox_.store().put(series.labels, samples);
      rehearsal_.arrive(series.labels, samples);
    }
    fed_ = end;
  }

  /// The alerts from elsewhere that change by then.
  std::vector<AlertEvent> told_until(milliseconds until) {
    std::vector<AlertEvent> events;
    for (; next_told_ < told_.size() && told_[next_told_].after() <= until; ++next_told_)
      events.push_back(event_of(*told_[next_told_].alert, told_[next_told_].change, group_.start));
    return events;
  }

  bool evaluate(milliseconds at) {
    const auto failures = rehearsal_.step(group_.start + at, order_, told_until(at));
    for (const auto& failure : failures)
      result_.failures.push_back({.kind = TestFailure::Kind::evaluation,
                                  .at = group_.at,
                                  .subject = failure.rule,
                                  .time = at,
                                  .expected = "",
                                  .got = "",
                                  .error = failure.what,
                                  .why = ""});
    check_notices(at);
    return failures.empty();
  }

  /// What happens after the evaluation at `at` and before the next one: alerts from elsewhere, and looks at who was told.
  void between(milliseconds at, milliseconds until) {
    std::set<milliseconds> moments;
    for (auto i = next_told_; i < told_.size() && told_[i].after() <= until; ++i) moments.insert(told_[i].after());
    for (const auto& test : group_.notification_cases)
      if (test.until > at && test.until <= until) moments.insert(test.until);
    for (const auto moment : moments) {
      feed(moment);
      rehearsal_.step(group_.start + moment, {}, told_until(moment));
      check_notices(moment);
    }
  }

  void check_alerts(milliseconds at) {
    for (const auto& test : group_.alert_cases) {
      if (test.eval_time < at || test.eval_time >= at + plan_.evaluation_interval) continue;
      std::vector<ExpectedAlert> got;
      for (auto& alert : rehearsal_.alerts())
        if (alert.phase == AlertPhase::firing && alert.labels.get("alertname") == test.alertname)
          got.push_back({std::move(alert.labels), std::move(alert.annotations)});
      std::sort(got.begin(), got.end());
      if (got != test.expected)
        fail_case(TestFailure::Kind::alert, test.at, test.alertname, test.eval_time, text_of(test.expected), text_of(got));
    }
  }

  void check_query(const QueryCase& test) {
    auto answer = sandbox_.query(test.expr, group_.start + test.eval_time);
    if (!answer) {
      result_.failures.push_back({.kind = TestFailure::Kind::query,
                                  .at = test.at,
                                  .subject = test.expr,
                                  .time = test.eval_time,
                                  .expected = "",
                                  .got = "",
                                  .error = answer.error().what,
                                  .why = ""});
      return;
    }
    std::vector<ExpectedSample> got;
    for (auto& sample : *answer) got.push_back({std::move(sample.labels), sample.value});
    std::sort(got.begin(), got.end(), [](const auto& a, const auto& b) { return a.labels < b.labels; });
    const bool same = std::equal(
        got.begin(), got.end(), test.expected.begin(), test.expected.end(),
        [&](const auto& a, const auto& b) { return a.labels == b.labels && same_value(a.value, b.value, plan_.fuzzy); });
    if (!same) fail_case(TestFailure::Kind::query, test.at, test.expr, test.eval_time, text_of(test.expected), text_of(got));
  }

  void check_notices(milliseconds now) {
    for (const auto& test : group_.notification_cases) {
      if (test.until != now) continue;
      auto difference = compare(test, rehearsal_.sent(), rehearsal_.incidents(), group_.start);
      if (!difference) continue;
      fail_case(TestFailure::Kind::notification, difference->at, "", test.until, std::move(difference->expected),
                std::move(difference->got));
      result_.failures.back().why = decided();
    }
  }

  [[nodiscard]] std::string decided() const {
    std::string out;
    for (const auto& decision : rehearsal_.decisions()) {
      if (!out.empty()) out += '\n';
      out += format_duration(decision.at - group_.start) + " " + decision.what + ": " + decision.why;
    }
    return out;
  }

  void fail_case(TestFailure::Kind kind, const config::Position& at, std::string subject, milliseconds time,
                 std::string expected, std::string got) {
    result_.failures.push_back({.kind = kind,
                                .at = at,
                                .subject = std::move(subject),
                                .time = time,
                                .expected = std::move(expected),
                                .got = std::move(got),
                                .error = "",
                                .why = ""});
  }

  Sandbox& sandbox_;
  const TestPlan& plan_;
  const TestGroup& group_;
  std::vector<std::size_t> order_;
  Rehearsal rehearsal_;
  std::size_t fed_ = 0;  ///< how many values of each series are in the store
  std::vector<Told> told_;
  std::size_t next_told_ = 0;
  TestResult result_{.name = group_.name, .at = group_.at, .failures = {}};
};

class PlanRun {
 public:
  PlanRun(const TestPlan& plan, const TestRunOptions& options, FileResult& out)
      : plan_(plan), options_(options), out_(out), sandbox_(query_options(plan)) {}

  void run() {
    if (!load()) return;
    std::vector<std::vector<std::size_t>> places;  // of each rule among the covered ones
    for (const auto& group : rules_->groups) {
      auto& row = places.emplace_back();
      for (const auto& rule : group.rules) {
        row.push_back(out_.rules.size());
        if (rule.kind == Rule::Kind::alert)
          out_.rules.push_back({.file = group.file, .group = group.name, .rule = rule.name, .cls = rule.cls});
      }
    }
    const auto first_slo = out_.rules.size();
    for (const auto& spec : book_ ? book_->slos.slos : std::vector<slo::SloSpec>{})
      if (!spec.burn.empty()) out_.rules.push_back(covered(spec));
    for (const auto& group : plan_.groups) {
      if (options_.wanted && !options_.wanted(group.name)) continue;
      sandbox_.clear();
      GroupRun test(sandbox_, plan_, group, rules_, book_);
      out_.tests.push_back(test.run());
      for (const auto& [g, r] : test.rehearsal().fired()) out_.rules[places[g][r]].fired = true;
      if (const auto* slos = test.rehearsal().slos())
        for (auto i = first_slo; i < out_.rules.size(); ++i) note_burned(out_.rules[i], slos->burned());
    }
  }

 private:
  static CoveredRule covered(const slo::SloSpec& spec) {
    CoveredRule out{.file = spec.file(), .group = "", .rule = spec.name, .cls = spec.gravest()};
    out.kind = CoveredRule::Kind::slo;
    return out;
  }

  /// A burn that stays below what wakes people does not show that it would.
  static void note_burned(CoveredRule& slo, const std::map<std::string, AlertClass, std::less<>>& burned) {
    const auto at = burned.find(slo.rule);
    if (at != burned.end() && at->second >= std::min(slo.cls, AlertClass::urgent)) slo.fired = true;
  }

  bool load() {
    auto options = options_.base;
    options.rules.default_interval = plan_.evaluation_interval;
    auto loaded = load_rulebook(plan_.rule_files, sandbox_.compiler(), options);
    for (const auto& warning : loaded.warnings) out_.warnings.push_back(to_string(warning));
    book_ = std::move(loaded.book);
    if (book_) rules_ = book_->rules;
    // Who only asks what rules find need not say who is told of it.
    if (!book_ && !asks_who_is_told()) {
      rules_ = load_rules(plan_.rule_files, sandbox_.compiler(), options.rules).rules;
    }
    if (!rules_) {
      for (const auto& error : loaded.errors) out_.errors.push_back(to_string(error));
      return false;
    }
    warn_of_names();
    return !asks_who_is_told() || somebody_is_told();
  }

  /// Names that nothing has: promtool says nothing, and such an expectation of silence is always met.
  void warn_of_names() {
    const auto warn = [this](const config::Position& at, const std::string& what) {
      out_.warnings.push_back(to_string(at) + ": " + what);
    };
    std::set<std::string> groups;
    std::set<std::string> alerts;
    for (const auto& group : rules_->groups) {
      groups.insert(group.name);
      for (const auto& rule : group.rules)
        if (rule.kind == Rule::Kind::alert) alerts.insert(rule.name);
    }
    if (book_ && !book_->slos.slos.empty()) {
      alerts.insert({std::string(slo::kNoDataAlert), std::string(slo::kSpentAlert)});
      for (const auto& spec : book_->slos.slos) alerts.insert(spec.name);
    }
    for (const auto& name : plan_.group_order)
      if (!groups.contains(name)) warn(plan_.at, "group_eval_order names '" + name + "', which no rule file has");
    for (const auto& group : plan_.groups)
      for (const auto& test : group.alert_cases)
        if (!alerts.contains(test.alertname)) warn(test.at, "no alert rule is named '" + test.alertname + "'");
  }

  [[nodiscard]] bool asks_who_is_told() const {
    return std::any_of(plan_.groups.begin(), plan_.groups.end(),
                       [](const TestGroup& group) { return !group.notification_cases.empty(); });
  }

  bool somebody_is_told() {
    if (has_receivers(book_->routing)) return true;
    config::Problems problems;
    problems.add(plan_.at, "nobody is told of anything here: no owner has a receiver",
                 "Add a document 'kind: Operations' with owners to the rule file, or run with --config collector.yaml.");
    out_.errors.push_back(problems.to_text());
    return false;
  }

  const TestPlan& plan_;
  const TestRunOptions& options_;
  FileResult& out_;
  Sandbox sandbox_;
  std::shared_ptr<const RuleSet> rules_;
  std::shared_ptr<const Rulebook> book_;
};

}  // namespace

std::string_view to_string(TestFailure::Kind kind) {
  switch (kind) {
    case TestFailure::Kind::alert: return "alert";
    case TestFailure::Kind::query: return "query";
    case TestFailure::Kind::notification: return "notification";
    case TestFailure::Kind::evaluation: return "evaluation";
  }
  return "";
}

bool FileResult::passed() const {
  return errors.empty() && std::all_of(tests.begin(), tests.end(), [](const auto& t) { return t.failures.empty(); });
}

FileResult run_test_file(std::string_view text, const std::string& path, const TestRunOptions& options) {
  FileResult out;
  out.file = path;
  auto file = parse_test_file(text, path);
  if (!file) {
    std::string_view lines = file.error().what;
    for (std::string_view line; next_line(lines, line);) out.errors.emplace_back(line);
    return out;
  }
  out.warnings = std::move(file->warnings);
  for (const auto& plan : file->plans) PlanRun(plan, options, out).run();
  return out;
}

std::vector<CoveredRule> coverage_of(std::span<const FileResult> results) {
  // Two test files may reach one rule file by different paths.
  std::map<std::tuple<std::string, std::string, std::string, AlertClass>, CoveredRule> known;
  for (const auto& result : results)
    for (const auto& rule : result.rules) {
      const auto place = std::filesystem::absolute(rule.file).lexically_normal().string();
      auto& one = known.emplace(std::tuple(place, rule.group, rule.rule, rule.cls), rule).first->second;
      one.fired = one.fired || rule.fired;
    }
  std::vector<CoveredRule> out;
  for (auto& [key, rule] : known) out.push_back(std::move(rule));
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.cls > b.cls; });
  return out;
}

}  // namespace ward::collector
