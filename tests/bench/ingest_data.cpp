#include "tests/bench/ingest_data.hpp"

#include <array>
#include <string_view>

namespace ward::bench {
namespace {

using Texts = std::initializer_list<std::string_view>;

std::string pick(Texts of, std::size_t n) { return std::string(*(of.begin() + n % of.size())); }

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a * 0x9e3779b97f4a7c15ULL + b * 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 31;
  x *= 0x94d049bb133111ebULL;
  return x ^ x >> 29;
}

/// A name's random end, as Kubernetes makes them.
std::string suffix(std::uint64_t seed, std::size_t length) {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string out;
  for (std::size_t i = 0; i < length; ++i) out += kLetters[mix(seed, i) % kLetters.size()];
  return out;
}

std::string address(std::size_t target, int port) {
  return "10.42." + std::to_string(target / 250) + "." + std::to_string(target % 250 + 2) + ":" + std::to_string(port);
}

std::string numbered(std::string_view name, std::size_t n) {
  const auto digits = std::to_string(n);
  return std::string(name) + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}

std::string pod_of(std::size_t n) {
  return pick({"odoo-web", "odoo-worker", "odoo-cron", "lab-import", "billing-api"}, n) + "-" + suffix(n / 7, 9) + "-" +
         suffix(n, 5);
}

std::string uid_of(std::size_t n) {
  return suffix(n, 8) + "-" + suffix(n + 1, 4) + "-" + suffix(n + 2, 4) + "-" + suffix(n + 3, 4) + "-" + suffix(n + 4, 12);
}

Labels node_exporter(std::size_t target, std::size_t n) {
  return Labels{{"__name__", pick({"node_cpu_seconds_total", "node_network_receive_bytes_total",
                                   "node_disk_io_time_seconds_total", "node_filesystem_avail_bytes", "node_softirqs_total"},
                                  n)},
                {"cpu", std::to_string(n / 40)},
                {"mode", pick({"idle", "user", "system", "iowait", "nice", "steal", "irq", "softirq"}, n / 5)},
                {"container", "node-exporter"},
                {"endpoint", "metrics"},
                {"instance", address(target, 9100)},
                {"job", "node-exporter"},
                {"namespace", "monitoring"},
                {"node", numbered("worker-", target)},
                {"pod", "node-exporter-" + suffix(target, 5)},
                {"service", "node-exporter"}};
}

Labels kubelet(std::size_t target, std::size_t n) {
  const auto pod = target * 25 + n / 5;
  return Labels{{"__name__",
                 pick({"container_cpu_usage_seconds_total", "container_memory_working_set_bytes",
                       "container_fs_writes_bytes_total", "container_network_transmit_bytes_total", "container_memory_rss"},
                      n)},
                {"container", pick({"odoo", "sidecar", "import"}, pod)},
                {"endpoint", "https-metrics"},
                {"image", pick({"clinic/odoo:19.0-20261101", "clinic/import:4.2.1", "clinic/proxy:1.29.3"}, pod)},
                {"instance", address(target, 10250)},
                {"job", "kubelet"},
                {"metrics_path", "/metrics/cadvisor"},
                {"namespace", numbered("clinic-", pod % 40)},
                {"node", numbered("worker-", target)},
                {"pod", pod_of(pod)},
                {"service", "kubelet"}};
}

Labels kube_state(std::size_t target, std::size_t n) {
  const auto pod = target * 25 + n / 5;
  return Labels{{"__name__", pick({"kube_pod_container_status_restarts_total", "kube_pod_container_status_ready",
                                   "kube_pod_container_resource_requests", "kube_pod_status_phase", "kube_pod_info"},
                                  n)},
                {"container", pick({"odoo", "sidecar", "import"}, pod)},
                {"endpoint", "http"},
                {"instance", address(target % 3, 8080)},
                {"job", "kube-state-metrics"},
                {"namespace", numbered("clinic-", pod % 40)},
                {"pod", pod_of(pod)},
                {"service", "kube-state-metrics"},
                {"uid", uid_of(pod)}};
}

Labels service(std::size_t target, std::size_t n) {
  return Labels{
      {"__name__", "http_request_duration_seconds_bucket"},
      {"code", pick({"200", "201", "302", "404", "500"}, n / 25)},
      {"handler", pick({"/web/login", "/web/dataset/call_kw", "/longpolling/poll"}, target)},
      {"instance", address(target, 8069)},
      {"job", "odoo"},
      {"le", pick({"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"}, n % 25)},
      {"method", n % 25 < 12   ? "GET"
                 : n % 25 < 24 ? "POST"
                               : "PUT"},
      {"namespace", numbered("clinic-", target % 40)},
      {"pod", pod_of(target)},
      {"service", "odoo"}};
}

}  // namespace

IngestData::IngestData(std::size_t series, Time start) : start_(start) {
  labels_.reserve(series);
  constexpr std::array kTargets{node_exporter, kubelet, kube_state, service};
  for (std::size_t i = 0; i < series; ++i) {
    const auto target = i / kPerTarget;
    labels_.push_back(kTargets[target % kTargets.size()](target, i % kPerTarget));
  }
}

Sample IngestData::at(std::size_t series, std::size_t round) const {
  const auto target = series / kPerTarget;
  const auto phase = mix(target, 1) % static_cast<std::uint64_t>(kInterval.count());
  const auto jitter = mix(target, round + 2) % 5;
  const auto time =
      start_ + kInterval * static_cast<std::int64_t>(round) + milliseconds{static_cast<std::int64_t>(phase + jitter)};
  const auto base = mix(series, 0);
  const auto noise = mix(series, round + 1);
  double value = 0;
  switch (series % 10) {
    case 0:
    case 1:
    case 2:
    case 3: {  // the noise of a round is below its growth: it never falls
      const auto pace = base % 900 + 100;
      value = static_cast<double>(base % 1'000'000 + pace * round + noise % pace);
      break;
    }
    case 4: value = static_cast<double>(base % 1'000'000 + 15 * round); break;
    case 5: value = static_cast<double>(noise % 200); break;
    case 6: value = static_cast<double>(noise % 100'000) / 100; break;
    default: value = static_cast<double>(base % 3); break;
  }
  return {time, value};
}

}  // namespace ward::bench
