/// The metrics of any Prometheus exporter, as they are.
/// Source: one GET of `url`, text format 0.0.4 or OpenMetrics 1.0 (preferred), gzip taken; redirects only up to
///         `max_redirects`. The connection is kept between runs.
/// Emits:  every sample that is served, after `metric_relabel`; up, scrape_duration_seconds, scrape_samples_scraped,
///         scrape_samples_post_metric_relabeling, scrape_series_added with Prometheus' meaning. Labels of the target win
///         over those of the exporter, which become exported_..., unless `honor_labels`. Timestamps of samples are left
///         aside. A scrape that fails in any part gives no sample but `up 0`, and its series end.
/// Errors: dns_*, connect_*, tls_*, http_timeout, http_status, auth (401), permission (403), unsupported (not a format of
///         Prometheus), protocol (a line that cannot be read), probe_overload (a limit of the target was passed).
#include "probes/generic/scrape.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <vector>

#include "common/exposition/format.hpp"
#include "common/http/url.hpp"
#include "probes/net/report.hpp"

namespace ward::probes {
namespace {

constexpr std::array kScrapeMetrics{
    MetricMeta{"up", MetricType::gauge, "", "1 when the exporter could be scraped"},
    MetricMeta{"scrape_duration_seconds", MetricType::gauge, "seconds", "Length of the scrape"},
    MetricMeta{"scrape_samples_scraped", MetricType::gauge, "", "Samples the exporter served, as far as they were read"},
    MetricMeta{"scrape_samples_post_metric_relabeling", MetricType::gauge, "", "Of those, what metric_relabel left"},
    MetricMeta{"scrape_series_added", MetricType::gauge, "", "Series that the run before did not have"},
};

/// Room for up, scrape_* and ward_probe_* beside the samples of a target.
constexpr std::size_t kOwnSeries = 16;
constexpr std::uint64_t kMostSamples = 100'000;
constexpr std::uint64_t kBodyLimit = 16 << 20;

class ScrapeProbe final : public Probe {
 public:
  explicit ScrapeProbe(ScrapeOptions options) : options_(std::move(options)) {}
  async::Task<ProbeOutput> collect(Host& host) override;
  void attach(const TargetFacts& facts) override { target_ = facts; }
  [[nodiscard]] Readings on_deadline() const override;
  [[nodiscard]] SeriesCaps caps() const override;

 private:
  [[nodiscard]] http::Request request() const;
  [[nodiscard]] std::optional<ProbeFailure> judge(const http::Response& response) const;
  [[nodiscard]] Intake read(const http::Response& response) const;
  ProbeOutput report(Intake intake, std::chrono::nanoseconds took);
  std::size_t count_new(const Readings& readings);
  std::vector<exposition::Description> untold(std::vector<exposition::Description> descriptions);

  ScrapeOptions options_;
  TargetFacts target_;
  std::vector<std::uint64_t> series_;  // hashes of the last run's, sorted
  std::map<std::string, exposition::Description> told_;
};

http::Request ScrapeProbe::request() const {
  auto request = options_.request;
  // A little less than the deadline: a slow exporter is better told as such than as a run that was cut off.
  request.timeout = std::max(milliseconds{1}, target_.deadline - target_.deadline / 20);
  request.connect_timeout = request.timeout;
  request.accept_gzip = true;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.3f", to_seconds(request.timeout));
  request.headers.emplace_back("Accept", std::string(exposition::kAccept));
  request.headers.emplace_back("User-Agent", "ward-agent");
  request.headers.emplace_back("X-Prometheus-Scrape-Timeout-Seconds", seconds);
  http::authorize(request, options_.credentials);
  return request;
}

SeriesCaps ScrapeProbe::caps() const {
  // A limit passed refuses the whole scrape, so that half of it is never taken for all: the agent must not cut before.
  const auto most = options_.intake.sample_limit + kOwnSeries;
  return {most, most};
}

Readings ScrapeProbe::on_deadline() const {
  return {{"up", {}, 0},
          {"scrape_duration_seconds", {}, to_seconds(target_.deadline)},
          {"scrape_samples_scraped", {}, 0},
          {"scrape_samples_post_metric_relabeling", {}, 0},
          {"scrape_series_added", {}, 0}};
}

std::optional<ProbeFailure> ScrapeProbe::judge(const http::Response& response) const {
  const auto where = options_.name();
  const auto status = response.status;
  if (status != 200) {
    const auto reason = status == 401   ? FailureReason::auth
                        : status == 403 ? FailureReason::permission
                                        : FailureReason::http_status;
    const bool redirect = status >= 300 && status < 400;
    return ProbeFailure{reason,
                        {Errc::unavailable, where + " answered with status " + std::to_string(status),
                         redirect ? "Set 'url' to where it points, or raise 'max_redirects'."
                                  : "Check the path of 'url' and what the exporter asks of who reads it."}};
  }
  if (response.truncated)
    return ProbeFailure{
        FailureReason::probe_overload,
        {Errc::full, where + " serves more than " + std::to_string(options_.request.max_body_bytes) + " bytes",
         "Let the exporter serve less, or raise 'body_size_limit'."}};
  return std::nullopt;
}

Intake ScrapeProbe::read(const http::Response& response) const {
  Intake intake;
  intake.failure = judge(response);
  if (intake.failure) return intake;
  const auto format = exposition::format_of(response.header("content-type"));
  if (!format) {
    intake.failure = ProbeFailure{FailureReason::unsupported,
                                  {Errc::invalid, options_.name() + " answered with no text format of Prometheus",
                                   "Check that 'url' is the exporter's page of metrics."}};
    return intake;
  }
  intake = take_in(response.body, *format, options_.intake, target_);
  if (intake.failure) intake.failure->error.what = options_.name() + ": " + intake.failure->error.what;
  return intake;
}

std::size_t ScrapeProbe::count_new(const Readings& readings) {
  std::vector<std::uint64_t> now;
  now.reserve(readings.size());
  const std::hash<std::string> of_name;
  for (const auto& reading : readings)
    now.push_back(reading.labels.hash() ^ (of_name(reading.metric) * 0x9e3779b97f4a7c15ULL));
  std::sort(now.begin(), now.end());
  const auto known = [&](std::uint64_t hash) { return std::binary_search(series_.begin(), series_.end(), hash); };
  const auto added = std::count_if(now.begin(), now.end(), [&](std::uint64_t hash) { return !known(hash); });
  series_ = std::move(now);
  return static_cast<std::size_t>(added);
}

/// Names in quotes have no place among the collector's metadata.
bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
  });
}

/// What was not said before: an exporter repeats its texts with each scrape.
std::vector<exposition::Description> ScrapeProbe::untold(std::vector<exposition::Description> descriptions) {
  std::erase_if(descriptions, [&](const exposition::Description& about) {
    const auto known = told_.find(about.name);
    return !is_plain(about.name) || (known != told_.end() && known->second == about);
  });
  // An exporter that invents names must not fill the agent's memory; what is forgotten is told again.
  if (told_.size() + descriptions.size() > kMostSamples) told_.clear();
  for (const auto& about : descriptions) told_.insert_or_assign(about.name, about);
  return descriptions;
}

ProbeOutput ScrapeProbe::report(Intake intake, std::chrono::nanoseconds took) {
  ProbeOutput out;
  out.naming = Naming::by_probe;
  out.failure = std::move(intake.failure);
  out.described = untold(std::move(intake.descriptions));
  const auto added = count_new(intake.readings);
  const auto put = [&](std::string metric, double value) {
    out.readings.push_back({std::move(metric), target_.labels, value});
  };
  out.readings.reserve(intake.readings.size() + kScrapeMetrics.size());
  // Ward's own word first: the same name and labels from the exporter are a duplicate then, and not the other way round.
  put("up", out.failure ? 0 : 1);
  put("scrape_duration_seconds", to_seconds(took));
  put("scrape_samples_scraped", static_cast<double>(intake.scraped));
  put("scrape_samples_post_metric_relabeling", static_cast<double>(intake.kept));
  put("scrape_series_added", static_cast<double>(added));
  std::move(intake.readings.begin(), intake.readings.end(), std::back_inserter(out.readings));
  return out;
}

async::Task<ProbeOutput> ScrapeProbe::collect(Host& host) {
  const auto started = host.clock().mono();
  auto sending = host.http().send(request());
  auto outcome = co_await std::move(sending);
  Intake intake;
  if (outcome)
    intake = read(*outcome);
  else
    intake.failure = ProbeFailure{net::reason_of(outcome.error().kind), std::move(outcome.error().error)};
  co_return report(std::move(intake), host.clock().mono() - started);
}

std::unique_ptr<Probe> make_scrape_from(config::Section& target) {
  const auto before = target.problems().list().size();
  ScrapeOptions options;
  auto& request = options.request;
  request.url = target.text("url");
  if (const auto url = http::parse_url(request.url); !request.url.empty() && !url)
    target.problems().add(target.at("url"), url.error().what, url.error().fix);
  request.max_redirects = static_cast<int>(target.whole("max_redirects", 0, 0, 10));
  request.proxy = target.text("proxy", "");
  request.max_body_bytes = target.size("body_size_limit", kBodyLimit);
  options.credentials = http::read_credentials(target);
  request.tls = http::read_client_tls(target);
  auto& intake = options.intake;
  intake.on_conflict = target.flag("honor_labels", false) ? OnConflict::honor : OnConflict::rename;
  intake.sample_limit = target.whole("sample_limit", intake.sample_limit, 1, kMostSamples);
  intake.label_limit = target.whole("label_limit", 0);
  intake.metric_relabel = read_relabelling(target, "metric_relabel");
  if (target.problems().list().size() != before) return nullptr;
  return make_scrape(std::move(options));
}

}  // namespace

std::string ScrapeOptions::name() const {
  const auto url = http::parse_url(request.url);
  return url ? url->host_port() : "the target";
}

std::unique_ptr<Probe> make_scrape(ScrapeOptions options) { return std::make_unique<ScrapeProbe>(std::move(options)); }

ProbeKind scrape_probe() {
  ProbeKind kind;
  kind.name = "scrape";
  kind.job = "scrape";
  kind.metrics = kScrapeMetrics;
  kind.make = make_scrape_from;
  return kind;
}

}  // namespace ward::probes
