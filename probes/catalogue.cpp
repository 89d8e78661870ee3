#include "probes/probe.hpp"

namespace ward::probes {

#define WARD_ENTRY(folder, name) ProbeKind name##_probe();
#include "probes/builtin.def"
#undef WARD_ENTRY

std::span<const ProbeKind> all_probes() {
  static const std::vector<ProbeKind> kinds{
#define WARD_ENTRY(folder, name) name##_probe(),
#include "probes/builtin.def"
#undef WARD_ENTRY
  };
  return kinds;
}

const ProbeKind* find_probe(std::string_view name) {
  for (const auto& kind : all_probes())
    if (kind.name == name) return &kind;
  return nullptr;
}

std::string_view to_string(FailureReason reason) {
  switch (reason) {
    case FailureReason::dns_nxdomain: return "dns_nxdomain";
    case FailureReason::dns_timeout: return "dns_timeout";
    case FailureReason::dns_failed: return "dns_failed";
    case FailureReason::connect_refused: return "connect_refused";
    case FailureReason::connect_timeout: return "connect_timeout";
    case FailureReason::connect_failed: return "connect_failed";
    case FailureReason::tls_untrusted: return "tls_untrusted";
    case FailureReason::tls_expired: return "tls_expired";
    case FailureReason::tls_name_mismatch: return "tls_name_mismatch";
    case FailureReason::tls_protocol: return "tls_protocol";
    case FailureReason::auth: return "auth";
    case FailureReason::permission: return "permission";
    case FailureReason::loading: return "loading";
    case FailureReason::http_status: return "http_status";
    case FailureReason::http_timeout: return "http_timeout";
    case FailureReason::body_mismatch: return "body_mismatch";
    case FailureReason::probe_refused: return "probe_refused";
    case FailureReason::probe_overload: return "probe_overload";
    case FailureReason::timeout: return "timeout";
    case FailureReason::protocol: return "protocol";
    case FailureReason::unsupported: return "unsupported";
    case FailureReason::not_found: return "not_found";
    case FailureReason::internal: return "internal";
  }
  return "internal";
}

}  // namespace ward::probes
