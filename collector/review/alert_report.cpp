#include "collector/review/alert_report.hpp"

#include <algorithm>
#include <cmath>

#include "collector/review/paged_incident.hpp"
#include "collector/routing/escalation.hpp"

namespace ward::collector::review {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr minutes kSlack{5};  // between what users feel and what an alert says
constexpr minutes kNoise{5};
constexpr hours kNightFrom{22};
constexpr hours kNightTo{7};
constexpr hours kShift{12};
constexpr hours kShiftFrom{8};

std::optional<double> share(std::size_t part, std::size_t of) {
  if (of == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(of);
}

/// Number of a 12-hour shift, counted on the clock of the zone.
std::int64_t shift_of(const TimeZone& zone, Time t) {
  const auto local = zone.local(t - kShiftFrom);
  const auto day = std::chrono::sys_days{local.date}.time_since_epoch().count();
  return std::int64_t{day} * 2 + (local.of_day >= kShift ? 1 : 0);
}

bool at_night(const TimeZone& zone, Time t) {
  const auto of_day = zone.local(t).of_day;
  return of_day >= kNightFrom || of_day < kNightTo;
}

/// Adds up one row of the report.
class Row {
 public:
  explicit Row(const AlertReportInput& input) : input_(input) {}

  void add(const Reviewed& one, const TimeZone& zone) {
    const auto& incident = one.incident();
    out_.pages += one.pages.size();
    for (const auto page : one.pages) out_.night_pages += at_night(zone, page) ? 1 : 0;
    out_.late_roots += one.late_roots;
    out_.residual_roots += one.residual_roots;
    if (one.merged()) {
      ++out_.merged;
      return;
    }
    ++out_.incidents;
    out_.flaps += (one.flapped ? 1 : 0) + incident.reopened;
    out_.muted += one.muted && one.file->deliveries.empty() ? 1 : 0;
    if (incident.verdict)
      ++out_.verdicts[incident.verdict->kind];
    else if (one.over())
      ++out_.without_verdict;
    if (!one.pages.empty()) add_paged(one);
  }

  AlertFigures done() {
    out_.acknowledged = spread_of(std::move(to_ack_));
    const auto first = shift_of(input_.zone, input_.from);
    const auto last = shift_of(input_.zone, std::max(input_.from, input_.to - milliseconds{1}));
    const auto count = static_cast<std::size_t>(last - first + 1);
    out_.shift_mean = static_cast<double>(out_.paged) / static_cast<double>(count);
    std::vector<std::size_t> shifts;
    for (const auto& [shift, times] : shifts_) shifts.push_back(times);
    shifts.resize(std::max(shifts.size(), count), 0);
    std::sort(shifts.begin(), shifts.end());
    const auto rank = static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(shifts.size())));
    out_.shift_p95 = shifts.at(std::max<std::size_t>(rank, 1) - 1);
    return std::move(out_);
  }

 private:
  void add_paged(const Reviewed& one) {
    const auto& incident = one.incident();
    ++out_.paged;
    ++shifts_[shift_of(input_.zone, one.pages.front())];
    out_.suppressed += incident.alerts.empty() ? 0 : incident.alerts.size() - 1;
    out_.later_steps += one.later_step ? 1 : 0;
    if (one.acknowledged)
      to_ack_.push_back(std::max(milliseconds{0}, *one.acknowledged - one.pages.front()));
    else if (one.over())
      ++out_.unacknowledged;
    if (one.over() && !one.acknowledged && incident.resolved_at - incident.opened_at < kNoise) ++out_.noise;
    if (one.felt || one.acted)
      ++out_.precise;
    else if (one.related || incident.verdict)
      ++out_.imprecise;
  }

  const AlertReportInput& input_;
  AlertFigures out_;
  std::vector<milliseconds> to_ack_;
  std::map<std::int64_t, std::size_t> shifts_;
};

/// Zones by tenant, each looked up once.
class Zones {
 public:
  explicit Zones(const AlertReportInput& input) : input_(input) {}
  const TimeZone& of(const std::string& tenant) {
    const auto [at, fresh] = known_.try_emplace(tenant, input_.zone);
    if (fresh && !tenant.empty() && input_.around.zone_of)
      if (const auto name = input_.around.zone_of(tenant); !name.empty())
        if (const auto zone = TimeZone::find(name)) at->second = *zone;
    return at->second;
  }

 private:
  const AlertReportInput& input_;
  std::map<std::string, TimeZone> known_;
};

std::map<std::string, AlertFigures> finished(std::map<std::string, Row>& rows) {
  std::map<std::string, AlertFigures> out;
  for (auto& [key, row] : rows) out.emplace(key, row.done());
  return out;
}

}  // namespace

std::optional<double> AlertFigures::pages_per_incident() const { return share(pages, paged); }
std::optional<double> AlertFigures::precision() const { return share(precise, precise + imprecise); }
std::optional<double> AlertFigures::actionability() const {
  std::size_t all = 0;
  for (const auto& [kind, times] : verdicts) all += times;
  const auto acted = verdicts.find(VerdictKind::acted);
  return share(acted == verdicts.end() ? 0 : acted->second, all);
}
std::optional<double> Detection::recall() const { return share(paged, stretches); }

Spread spread_of(std::vector<milliseconds> values) {
  Spread out{.count = values.size(), .p50 = {}, .p90 = {}};
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  const auto rank = [&](double q) {
    const auto n = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
    return values[std::max<std::size_t>(n, 1) - 1];
  };
  out.p50 = rank(0.5);
  out.p90 = rank(0.9);
  return out;
}

std::string_view to_string(Proposal::Action action) {
  switch (action) {
    case Proposal::Action::keep: return "keep";
    case Proposal::Action::tune: return "tune";
    case Proposal::Action::remove: return "delete";
  }
  return "keep";
}

bool is_later_step(const Decision& decision) {
  return decision.what == "told on" && (decision.why.find("Nobody has acknowledged within ") != std::string::npos ||
                                        decision.why.find("It has lasted ") != std::string::npos);
}

bool relates(const Incident& incident, const SloTime& slo, const Surroundings& around) {
  for (const auto& [name, value] : slo.group)
    if (const auto theirs = incident.scope.get(name); !theirs.empty() && theirs != value) return false;
  const auto same = [&](const AlertEvent& a) {
    return a.labels.get("slo") == slo.slo || a.labels.get("service") == slo.service;
  };
  return incident.root_service == slo.service || std::any_of(incident.alerts.begin(), incident.alerts.end(), same) ||
         (around.needs && around.needs(slo.service, incident.root_service));
}

bool together(const Incident& incident, const BadStretch& stretch, Time now) {
  const auto end = incident.phase == IncidentPhase::open ? now : incident.resolved_at;
  return incident.opened_at <= Time{stretch.to} + kSlack && end + kSlack >= Time{stretch.from};
}

std::vector<Reviewed> read_files(const AlertReportInput& input) {
  std::vector<Reviewed> out;
  for (const auto& file : input.files) {
    Reviewed one;
    one.file = &file;
    const auto& incident = file.incident;
    for (const auto& row : file.deliveries)
      if (calls_for_action(row.delivery.kind) && row.instead_of.empty() && pages(incident.cls))
        one.pages.push_back(row.delivery.created_at);
    std::sort(one.pages.begin(), one.pages.end());
    for (const auto& d : file.decisions) {
      if (d.what == "acknowledged" && !one.acknowledged) one.acknowledged = d.at;
      one.muted = one.muted || d.what == "silenced" || d.what == "inhibited" || d.what == "maintenance";
      one.flapped = one.flapped || d.what == "flapping";
      one.later_step = one.later_step || is_later_step(d);
      if (d.what == "root changed") {
        one.late_roots += d.why.find("showed late") != std::string::npos ? 1 : 0;
        one.residual_roots += d.why.find("residual") != std::string::npos ? 1 : 0;
      }
    }
    one.acted = incident.verdict && incident.verdict->kind == VerdictKind::acted;
    for (const auto& slo : input.slos) {
      if (!relates(incident, slo, input.around)) continue;
      one.related = true;
      one.felt = one.felt || std::any_of(slo.bad.begin(), slo.bad.end(),
                                         [&](const BadStretch& stretch) { return together(incident, stretch, input.now); });
    }
    out.push_back(std::move(one));
  }
  return out;
}

AlertReport review_alerts(const AlertReportInput& input) {
  const auto reviewed = read_files(input);
  AlertReport out;
  out.from = input.from;
  out.to = input.to;
  Zones zones(input);
  Row all(input);
  std::map<std::string, Row> rules;
  std::map<std::string, Row> owners;
  std::map<std::string, Row> tenants;
  for (const auto& one : reviewed) {
    const auto& incident = one.incident();
    const auto tenant = std::string(incident.scope.get("tenant"));
    const auto& zone = zones.of(tenant);
    all.add(one, zone);
    rules.try_emplace(incident.root_alert, input).first->second.add(one, zone);
    owners.try_emplace(incident.owner, input).first->second.add(one, zone);
    tenants.try_emplace(tenant, input).first->second.add(one, zone);
  }
  out.all = all.done();
  out.by_rule = finished(rules);
  out.by_owner = finished(owners);
  out.by_tenant = finished(tenants);
  out.detection = detect(input, reviewed);
  out.hygiene = tidy(input);
  out.proposals = propose(input, reviewed, out);
  if (input.slos.empty())
    out.notes.emplace_back("There are no SLOs: precision stands on verdicts alone, and nothing tells what was missed.");
  if (out.all.without_verdict > 0)
    out.notes.push_back(std::to_string(out.all.without_verdict) +
                        " incidents are over without a verdict: 'wardctl incidents --without-verdict' lists them.");
  if (input.log_from > input.from) out.notes.emplace_back("The log does not reach back to the beginning of the time.");
  return out;
}

}  // namespace ward::collector::review
