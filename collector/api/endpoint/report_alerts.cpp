// GET /api/ward/v1/report/alerts?month=2026-11&zone=: the monthly review of alerts: what paged, whether it was worth it,
// what was missed, and what to do about each rule. A month is that of the zone (UTC without one).
#include <algorithm>
#include <charconv>
#include <iterator>

#include "collector/api/archive.hpp"
#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"
#include "collector/api/report_json.hpp"
#include "collector/api/rule_facts.hpp"
#include "common/async/blocking_to_end.hpp"

namespace ward::collector::api {
namespace {

constexpr std::size_t kMostIncidents = 5'000;
constexpr std::chrono::hours kLog{24 * 90};

/// "2026-11" as the month that begins and ends at midnight in the zone.
Result<std::pair<Time, Time>> month_of(const std::string& text, const TimeZone& zone) {
  int year = 0;
  unsigned month = 0;
  const auto read = [](std::string_view digits, auto& into) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return error == std::errc{} && end == digits.data() + digits.size();
  };
  const bool good = text.size() == 7 && text[4] == '-' && text[0] != '-' &&
                    read(std::string_view(text).substr(0, 4), year) && read(std::string_view(text).substr(5), month) &&
                    month >= 1 && month <= 12;
  if (!good) return fail(Errc::invalid, "'month' is '" + text + "'", "Write it like 2026-11.");
  const std::chrono::year_month first{std::chrono::year{year}, std::chrono::month{month}};
  const auto start = [&](std::chrono::year_month m) { return zone.instant(m / 1, milliseconds{0}); };
  return std::pair{start(first), start(first + std::chrono::months{1})};
}

void take_fired(const std::vector<Incident>& incidents, std::set<std::string>& into) {
  for (const auto& incident : incidents) {
    into.insert(incident.root_alert);
    for (const auto& alert : incident.alerts) into.emplace(alert.labels.get("alertname"));
  }
}

async::Task<Result<std::vector<review::PastSilence>>> silences_of(View* view) {
  constexpr std::size_t kPage = 1'000;
  std::vector<AuditRecord> audit;
  while (true) {
    auto reading = view->desk()->audit(audit.empty() ? 0 : audit.back().number, kPage);
    auto page = co_await std::move(reading);
    if (!page) co_return fail(page.error());
    audit.insert(audit.end(), std::make_move_iterator(page->begin()), std::make_move_iterator(page->end()));
    if (page->size() < kPage) break;
  }
  co_return review::silences_of(audit);
}

/// What needs ledgers and files is done off the io thread.
async::Task<Result<http::ServerResponse>> calculate(View* view, std::shared_ptr<review::AlertReportInput> input, bool cut) {
  auto job = [view, input, cut]() -> Result<http::ServerResponse> {
    const slo::MinuteRange range{slo::minute_of(input->from), slo::minute_of(input->to)};
    view->visit_minutes(range, [&](const slo::LedgerMinutes& ledger) { input->slos.push_back(review::bad_time(ledger)); });
    if (input->around.tested) input->tested = input->around.tested();
    auto report = review::review_alerts(*input);
    if (cut)
      report.notes.push_back("There were more than " + std::to_string(kMostIncidents) +
                             " incidents; the oldest of the time are left out.");
    http::ServerResponse response;
    response.body = to_json(report);
    return response;
  };
  auto running = async::run_blocking_to_end(view->queries(), std::move(job));
  auto response = co_await std::move(running);
  co_return response;
}

async::Task<http::ServerResponse> answer_report(View& view, http::ServerRequest request) {
  const auto zone = TimeZone::find(parameter(request, "zone"));
  if (!zone) co_return problem(400, "Bad request", describe(zone.error()));
  const auto month = month_of(parameter(request, "month"), *zone);
  if (!month) co_return problem(400, "Bad request", describe(month.error()));
  const auto now = view.clock().wall();
  if (month->first >= now) co_return problem(400, "Bad request", "That month has not begun. Ask for one that has.");
  const auto turn = view.archive()->begin_report();
  if (!turn) co_return problem(503, "Busy", "Another report is being made. Ask again when it is done.");
  auto input = std::make_shared<review::AlertReportInput>();
  input->from = month->first;
  input->to = std::min(month->second, now);
  input->now = now;
  input->zone = *zone;
  auto remembering = silences_of(&view);
  auto silences = co_await std::move(remembering);
  if (!silences) co_return problem(503, "The audit cannot be read", describe(silences.error()));
  input->silences = std::move(*silences);
  input->rules = alerting_rules(view);
  input->around = view.surroundings();
  auto past = view.archive()->incidents(now - kLog, now, kMostIncidents);
  const auto log = co_await std::move(past);
  if (!log) co_return problem(503, "The past cannot be read", describe(log.error()));
  take_fired(*log, input->fired);
  for (const auto& alert : view.alerts()) input->fired.emplace(alert.labels.get("alertname"));
  // Newest first: the log is as old as its last one, and no older than it is kept.
  input->log_from = log->empty() ? now : std::max(now - kLog, log->back().opened_at);
  auto filing = view.archive()->files(input->from, input->to, kMostIncidents);
  auto files = co_await std::move(filing);
  if (!files) co_return problem(503, "The past cannot be read", describe(files.error()));
  input->files = std::move(*files);
  auto calculating = calculate(&view, input, log->size() >= kMostIncidents);
  auto response = co_await std::move(calculating);
  if (!response) co_return problem(503, "The report cannot be made", describe(response.error()));
  co_return std::move(*response);
}

}  // namespace

Endpoint report_alerts_endpoint() {
  return {"/api/ward/v1/report/alerts", "Whether pages were worth it, month by month", answer_report};
}

}  // namespace ward::collector::api
