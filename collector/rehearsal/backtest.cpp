#include "collector/rehearsal/backtest.hpp"

#include <algorithm>
#include <unordered_set>

#include "collector/promql/parser.hpp"

namespace ward::collector {
namespace {

constexpr milliseconds kHop = std::chrono::hours{1};
/// Warm-up covers what is pending and what correlation still remembers, within reason.
constexpr milliseconds kLeastWarmUp = std::chrono::minutes{30};
constexpr milliseconds kMostWarmUp = std::chrono::hours{24};

class Backtest {
 public:
  Backtest(Sandbox& sandbox, Rehearsal::Setting setting, SampleSource& source, const BacktestOptions& options)
      : sandbox_(sandbox),
        source_(source),
        options_(options),
        reads_(*setting.rules),
        start_(options.since - std::clamp(2 * reads_.hold(), kLeastWarmUp, kMostWarmUp)),
        rehearsal_(sandbox, std::move(setting), start_) {}

  Result<BacktestResult> run() {
    if (auto opened = source_.open(start_ - reads_.lookback(), [this](const Labels& s) { return reads_.wants(s); }); !opened)
      return fail(opened.error());
    Time now = start_;
    for (Time hop = start_; hop < options_.until;) {
      hop = std::min(hop + kHop, options_.until);
      if (auto loaded = load(hop); !loaded) return fail(loaded.error());
      now = play(now, hop);
      sandbox_.store().drop_before(hop - reads_.lookback());
    }
    rehearsal_.step(options_.until, {});
    collect();
    return std::move(out_);
  }

 private:
  Status load(Time until) {
    return source_.load(until, [this](const Labels& series, std::span<const std::uint8_t> chunk, auto samples) {
      sandbox_.store().put_chunk(series, chunk, samples);
      out_.samples += samples.size();
      if (seen_.insert(series.hash()).second) ++out_.series;
    });
  }

  /// Evaluates what is due up to and without `until`; returns the next time to look at.
  Time play(Time now, Time until) {
    const auto least = std::max(options_.step, milliseconds{1});
    while (now < until) {
      const auto groups = rehearsal_.due(now);
      if (!groups.empty()) {
        out_.evaluations += groups.size();
        for (auto& failure : rehearsal_.step(now, groups)) {
          auto& failing = out_.failing[failure.rule];
          ++failing.times;
          failing.why = std::move(failure.what);
        }
      }
      now = std::max(rehearsal_.next_wake(now), now + least);
    }
    return now;
  }

  void collect() {
    std::vector<Incident> incidents;
    for (const auto& [id, incident] : rehearsal_.incidents()) incidents.push_back(incident);
    std::vector<Page> pages;
    for (const auto& sent : rehearsal_.sent())
      if (calls_for_action(sent.notice.kind)) pages.push_back({sent.notice.incident.id, sent.receiver});
    out_.incidents = paged_incidents(incidents, pages, options_.since, options_.until);
  }

  Sandbox& sandbox_;
  SampleSource& source_;
  const BacktestOptions& options_;
  RuleReads reads_;
  Time start_;
  Rehearsal rehearsal_;
  BacktestResult out_;
  std::unordered_set<std::uint64_t> seen_;
};

bool overlap(const Incident& a, const Incident& b, milliseconds slack) {
  const auto end = [](const Incident& i) { return i.phase == IncidentPhase::open ? Time::max() : i.resolved_at; };
  const auto before = [slack](Time end_of_one, Time start_of_other) {
    return end_of_one != Time::max() && end_of_one + slack < start_of_other;
  };
  return !before(end(a), b.opened_at) && !before(end(b), a.opened_at);
}

bool same_cause(const Incident& a, const Incident& b) {
  return a.root_alert == b.root_alert && a.root_service == b.root_service && a.scope == b.scope;
}

bool same_judgement(const Incident& a, const Incident& b) {
  return same_cause(a, b) && a.owner == b.owner && a.cls == b.cls;
}

bool share_an_alert(const Incident& a, const Incident& b) {
  return std::any_of(a.alerts.begin(), a.alerts.end(), [&](const AlertEvent& mine) {
    return std::any_of(b.alerts.begin(), b.alerts.end(),
                       [&](const AlertEvent& other) { return mine.labels == other.labels; });
  });
}

Time opened(const BacktestRow& row) { return (row.now ? row.now : row.before)->incident.opened_at; }

}  // namespace

RuleReads::RuleReads(const RuleSet& rules) {
  for (const auto& group : rules.groups)
    for (const auto& rule : group.rules) {
      hold_ = std::max({hold_, rule.hold, rule.keep_firing});
      if (rule.kind == Rule::Kind::record) written_.insert(rule.name);
      add(rule.expr);
      lookback_ = std::max(lookback_, group.query_offset);
    }
}

void RuleReads::add(const std::string& expr) {
  const auto parsed = promql::parse(expr);
  if (!parsed) return;  // it did not load then
  lookback_ = std::max(lookback_, promql::reads_of(*parsed).lookback);
  for (auto& selector : promql::selectors_of(*parsed)) {
    const auto name = std::find_if(selector.begin(), selector.end(), [](const Matcher& m) {
      return m.name() == kNameLabel && m.op() == Matcher::Op::equal && !m.value().empty();
    });
    auto& home = name == selector.end() ? nameless_ : by_name_[name->value()];
    if (std::find(home.begin(), home.end(), selector) == home.end()) home.push_back(std::move(selector));
  }
}

bool RuleReads::wants(const Labels& series) const {
  if (written_.contains(series.name())) return false;
  const auto any = [&](const std::vector<Selector>& selectors) {
    return std::any_of(selectors.begin(), selectors.end(), [&](const Selector& selector) {
      return std::all_of(selector.begin(), selector.end(),
                         [&](const Matcher& m) { return m.matches(series.get(m.name())); });
    });
  };
  const auto named = by_name_.find(std::string(series.name()));
  return (named != by_name_.end() && any(named->second)) || any(nameless_);
}

Result<BacktestResult> backtest(Sandbox& sandbox, Rehearsal::Setting setting, SampleSource& source,
                                const BacktestOptions& options) {
  sandbox.clear();
  return Backtest(sandbox, std::move(setting), source, options).run();
}

std::vector<PagedIncident> paged_incidents(std::span<const Incident> incidents, std::span<const Page> pages, Time since,
                                           Time until) {
  std::map<std::string, const Incident*> by_id;
  for (const auto& incident : incidents) by_id.emplace(incident.id, &incident);
  std::map<std::string, std::vector<std::string>> told;  // who, by the incident that counts
  for (const auto& page : pages) {
    auto id = page.incident;
    // Merging leads to an older incident each time, so this ends; the number of incidents bounds it should a store lie.
    for (std::size_t n = 0; n < incidents.size(); ++n) {
      const auto at = by_id.find(id);
      if (at == by_id.end() || at->second->merged_into.empty()) break;
      id = at->second->merged_into;
    }
    told[id].push_back(page.receiver);
  }
  std::vector<PagedIncident> out;
  for (const auto& [id, incident] : by_id) {
    if (incident->opened_at < since || incident->opened_at > until || !incident->merged_into.empty()) continue;
    auto& receivers = told[id];
    PagedIncident paged{.incident = *incident, .pages = receivers.size(), .receivers = std::move(receivers)};
    std::sort(paged.receivers.begin(), paged.receivers.end());
    paged.receivers.erase(std::unique(paged.receivers.begin(), paged.receivers.end()), paged.receivers.end());
    out.push_back(std::move(paged));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.incident.opened_at < b.incident.opened_at; });
  return out;
}

std::string_view to_string(BacktestRow::Kind kind) {
  switch (kind) {
    case BacktestRow::Kind::same: return "same";
    case BacktestRow::Kind::changed: return "changed";
    case BacktestRow::Kind::added: return "added";
    case BacktestRow::Kind::gone: return "gone";
  }
  return "";
}

std::vector<BacktestRow> compare_incidents(std::span<const PagedIncident> now, std::span<const PagedIncident> before,
                                           milliseconds slack) {
  std::vector<BacktestRow> rows;
  std::vector<bool> paired(now.size());
  std::vector<const PagedIncident*> left;
  const auto pair = [&](const PagedIncident& old, auto&& fits) {
    std::optional<std::size_t> best;
    const auto distance = [&](std::size_t i) {
      return std::chrono::abs(now[i].incident.opened_at - old.incident.opened_at);
    };
    for (std::size_t i = 0; i < now.size(); ++i) {
      if (paired[i] || !overlap(now[i].incident, old.incident, slack) || !fits(now[i].incident, old.incident)) continue;
      if (!best || distance(i) < distance(*best)) best = i;
    }
    if (!best) return false;
    paired[*best] = true;
    const bool same = same_judgement(now[*best].incident, old.incident);
    rows.push_back({same ? BacktestRow::Kind::same : BacktestRow::Kind::changed, now[*best], old});
    return true;
  };
  // Those of one cause first, so that none is taken away by a stranger that shares an alert.
  for (const auto& old : before)
    if (!pair(old, same_cause)) left.push_back(&old);
  for (const auto* old : left)
    if (!pair(*old, share_an_alert)) rows.push_back({BacktestRow::Kind::gone, std::nullopt, *old});
  for (std::size_t i = 0; i < now.size(); ++i)
    if (!paired[i]) rows.push_back({BacktestRow::Kind::added, now[i], std::nullopt});
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return opened(a) < opened(b); });
  return rows;
}

}  // namespace ward::collector
