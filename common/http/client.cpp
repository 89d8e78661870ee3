#include "common/http/client.hpp"

#include <algorithm>

namespace ward::http {

std::string_view Response::header(std::string_view lower_case_name) const {
  const auto at = std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return h.first == lower_case_name; });
  return at == headers.end() ? std::string_view() : std::string_view(at->second);
}

async::Task<tl::expected<Response, Failure>> Client::deliver(Mail /*mail*/) {
  Failure failure;
  failure.error = {Errc::invalid, "this client sends no mail", ""};
  failure.kind = FailureKind::bad_url;
  co_return tl::unexpected(std::move(failure));
}

std::string_view to_string(FailureKind kind) {
  switch (kind) {
    case FailureKind::bad_url: return "bad_url";
    case FailureKind::dns_nxdomain: return "dns_nxdomain";
    case FailureKind::dns_timeout: return "dns_timeout";
    case FailureKind::dns_failed: return "dns_failed";
    case FailureKind::connect_refused: return "connect_refused";
    case FailureKind::connect_timeout: return "connect_timeout";
    case FailureKind::connect_failed: return "connect_failed";
    case FailureKind::tls_untrusted: return "tls_untrusted";
    case FailureKind::tls_expired: return "tls_expired";
    case FailureKind::tls_name_mismatch: return "tls_name_mismatch";
    case FailureKind::tls_protocol: return "tls_protocol";
    case FailureKind::timeout: return "timeout";
    case FailureKind::too_many_redirects: return "too_many_redirects";
    case FailureKind::protocol: return "protocol";
    case FailureKind::cancelled: return "cancelled";
  }
  return "protocol";
}

}  // namespace ward::http
