#include "tests/bench/estate_data.hpp"

#include <array>

namespace ward::bench {
namespace {

constexpr std::size_t kTenants = 20;
constexpr std::size_t kServices = 25;
constexpr std::array<const char*, 12> kBounds{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
                                              "0.5",   "1",    "2.5",   "5",    "10",  "+Inf"};
constexpr std::uint32_t kMaxPace = 4000;

/// Of one pod: what its series are called when it has ten.
constexpr std::array<const char*, 10> kMetrics{
    "http_requests_total",     "http_request_bytes_total", "http_response_bytes_total", "http_request_errors_total",
    "process_cpu_ticks_total", "odoo_workers_busy",        "odoo_queue_age_seconds",    "process_start_time_seconds",
    "process_max_fds",         "odoo_build_info"};

std::string numbered(std::string_view prefix, std::size_t n) { return std::string(prefix) + std::to_string(n); }

}  // namespace

EstateData::EstateData(std::size_t counters, std::size_t histograms, Time start, Kind kind, milliseconds interval)
    : counters_(counters), kind_(kind), interval_(interval), at_(start) {
  for (std::size_t n = 0; n < counters; ++n) {
    const auto pod = kind == Kind::mixed ? n / kMetrics.size() : n;
    const auto service = pod / kTenants % kServices;
    const auto instance = pod / (kTenants * kServices);
    labels_.push_back({{"__name__", kind == Kind::mixed ? kMetrics[n % kMetrics.size()] : "http_requests_total"},
                       {"tenant", numbered("clinic-", pod % kTenants)},
                       {"service", numbered("service-", service)},
                       {"instance", numbered("10.0.0.", instance) + ":8069"},
                       {"pod", numbered("odoo-", pod)},
                       {"job", "odoo"}});
    // A tenth stands still, as counters of errors do.
    states_.push_back(
        {static_cast<double>(random() % 1'000'000), n % 10 == 3 ? 0 : 1 + static_cast<std::uint32_t>(random() % kMaxPace)});
  }
  for (std::size_t n = 0; n < histograms; ++n) {
    for (const auto* bound : kBounds)
      labels_.push_back({{"__name__", "http_request_duration_seconds_bucket"},
                         {"tenant", numbered("clinic-", n % kTenants)},
                         {"service", numbered("service-", n / kTenants)},
                         {"le", bound},
                         {"job", "odoo"}});
  }
  buckets_.resize(histograms * kBounds.size());
}

std::uint64_t EstateData::random() {  // splitmix64
  std::uint64_t z = (seed_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

void EstateData::move_on(State& s, std::size_t n) {
  if (s.pace == 0) return;
  const auto kind = kind_ == Kind::busy ? 0 : n % 10;
  if (kind < 4)
    s.value += static_cast<double>(random() % (2ULL * s.pace));
  else if (kind == 4)
    s.value += s.pace;
  else if (kind == 5)
    s.value += static_cast<double>(random() % 21) - 10;
  else if (kind == 6)
    s.value = static_cast<double>(random() % 10'000) / 100;
}

void EstateData::next_round(std::vector<Sample>& out) {
  out.clear();
  for (std::size_t n = 0; n < counters_; ++n) {
    auto& s = states_[n];
    move_on(s, n);
    out.push_back({at_ + milliseconds{static_cast<std::int64_t>(n % 1000 + random() % 4)}, s.value});
  }
  std::uint64_t cumulative = 0;
  Time at = at_;
  for (std::size_t n = 0; n < buckets_.size(); ++n) {
    if (n % kBounds.size() == 0) {
      cumulative = 0;
      at = at_ + milliseconds{static_cast<std::int64_t>(n % 1000 + random() % 4)};
    }
    buckets_[n] += random() % (n % kBounds.size() < 6 ? 30 : 4);
    cumulative += buckets_[n];
    out.push_back({at, static_cast<double>(cumulative)});
  }
  at_ += interval_;
}

std::string openmetrics_series(const Labels& labels) {
  auto out = to_string(labels);
  std::erase(out, ' ');
  return out;
}

}  // namespace ward::bench
