#include "collector/rehearsal/backtest.hpp"

#include <algorithm>
#include <unordered_map>

namespace ward::collector {
namespace {

constexpr milliseconds kHop = std::chrono::hours{1};
/// The collector judges each 15 s; less often than once a minute, minutes would go unseen.
constexpr milliseconds kLongestSloTick = std::chrono::minutes{1};
/// Warm-up covers what is pending and what correlation still remembers, within reason.
constexpr milliseconds kLeastWarmUp = std::chrono::minutes{30};
constexpr milliseconds kMostWarmUp = std::chrono::hours{24};

bool is_of(const AlertEvent& alert, const slo::BudgetState& state) {
  return alert.labels.get("slo") == state.slo &&
         std::all_of(state.group.begin(), state.group.end(),
                     [&](const Label& label) { return alert.labels.get(label.first) == label.second; });
}

/// Each SLO and group over the time, with what is left of its budget at the end and the incidents its alerts were part of.
std::vector<RehearsedLevel> levels_of(const SloStage& slos, std::span<const PagedIncident> incidents, Time since,
                                      Time until) {
  std::vector<RehearsedLevel> out;
  for (auto& state : slos.budgets_over(since, until)) out.push_back({.over = std::move(state)});
  for (const auto& state : slos.budgets()) {
    const auto same = [&](const RehearsedLevel& level) {
      return level.over.slo == state.slo && level.over.group == state.group;
    };
    if (const auto level = std::find_if(out.begin(), out.end(), same); level != out.end())
      level->budget_left = state.budget_remaining;
  }
  for (auto& level : out) {
    for (const auto& paged : incidents) {
      const auto& alerts = paged.incident.alerts;
      const auto mine = [&](const AlertEvent& alert) { return is_of(alert, level.over); };
      if (std::none_of(alerts.begin(), alerts.end(), mine)) continue;
      ++level.incidents;
      if (mine(alerts.front())) level.pages += paged.pages;
    }
  }
  return out;
}

class Backtest {
 public:
  Backtest(Sandbox& sandbox, Rehearsal::Setting setting, SampleSource& source, const BacktestOptions& options)
      : sandbox_(sandbox),
        source_(source),
        options_(options),
        reads_(*setting.rules, setting.slos),
        start_(options.since - std::clamp(2 * reads_.hold(), kLeastWarmUp, kMostWarmUp)),
        counted_to_(start_ - reads_.memory()),
        rehearsal_(sandbox, with_slos(std::move(setting)), start_) {}

  Result<BacktestResult> run() {
    if (auto seeded = seed(); !seeded) return fail(seeded.error());
    const auto wanted = [this](const Labels& s) { return reads_.wants(s) || reads_.counts(s); };
    if (auto opened = source_.open(start_ - reads_.lookback(), wanted); !opened) return fail(opened.error());
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
  Rehearsal::Setting with_slos(Rehearsal::Setting setting) const {
    setting.slos_from = counted_to_;
    setting.slo_tick = std::clamp(options_.step, slo::kTick, kLongestSloTick);
    const bool any = reads_.reads_levels();
    setting.slo_series = [this, any](const Labels& series) { return any && reads_.reads(series); };
    return setting;
  }

  /// What indicators count of the time before, as far as their windows reach.
  Status seed() {
    if (counted_to_ == start_) return {};
    auto opened = source_.open(counted_to_, [this](const Labels& s) { return reads_.counts(s); });
    if (!opened) return opened;
    for (Time hop = counted_to_; hop < start_;) {
      hop = std::min(hop + kHop, start_);
      auto loaded = source_.load(hop, [this](const Labels& series, std::span<const std::uint8_t>, auto samples) {
        count(series, samples, start_);
      });
      if (!loaded) return loaded;
      rehearsal_.seed_slos(hop);
    }
    counted_to_ = start_;
    return {};
  }

  /// Hands the samples from where counting stands up to `until` to the SLOs.
  void count(const Labels& series, std::span<const Sample> samples, Time until) {
    const auto before = [](const Sample& sample, Time t) { return sample.t < t; };
    const auto first = std::lower_bound(samples.begin(), samples.end(), counted_to_, before);
    const auto end = std::lower_bound(first, samples.end(), until, before);
    rehearsal_.arrive(series, {first, end});
  }

  Status load(Time until) {
    return source_.load(until, [this](const Labels& series, std::span<const std::uint8_t> chunk, auto samples) {
      const auto [known, fresh] = seen_.emplace(series.hash(), Use{});
      if (fresh) known->second = {.store = reads_.wants(series), .count = reads_.counts(series)};
      if (known->second.store) sandbox_.store().put_chunk(series, chunk, samples);
      if (known->second.count) count(series, samples, Time::max());
      out_.samples += samples.size();
      out_.series += fresh ? 1 : 0;
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
    if (rehearsal_.slos() != nullptr)
      out_.levels = levels_of(*rehearsal_.slos(), out_.incidents, options_.since, options_.until);
  }

  /// What is done with the samples of a series.
  struct Use {
    bool store = false;
    bool count = false;
  };

  Sandbox& sandbox_;
  SampleSource& source_;
  const BacktestOptions& options_;
  RuleReads reads_;
  Time start_;
  Time counted_to_;  ///< SLOs have what is older
  Rehearsal rehearsal_;
  BacktestResult out_;
  std::unordered_map<std::uint64_t, Use> seen_;  // by the hash of labels
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
