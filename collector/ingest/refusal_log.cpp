#include "collector/ingest/refusal_log.hpp"

#include <algorithm>

namespace ward::collector {
namespace {

bool needs_somebody(net::Refusal reason) {
  switch (reason) {
    case net::Refusal::version:
    case net::Refusal::alpn:
    case net::Refusal::certificate_required:
    case net::Refusal::untrusted:
    case net::Refusal::expired:
    case net::Refusal::not_yet_valid:
    case net::Refusal::wrong_name:
    case net::Refusal::wrong_usage:
    case net::Refusal::no_identity:
    case net::Refusal::too_many_connections:
    case net::Refusal::too_many_from_address: return true;
    case net::Refusal::timed_out:
    case net::Refusal::closed:
    case net::Refusal::not_tls:
    case net::Refusal::other: return false;
  }
  return false;
}

std::string address_of(const std::string& remote) { return remote.substr(0, remote.rfind(':')); }

}  // namespace

std::optional<std::uint64_t> RefusalLog::tell(net::Refusal reason, const std::string& remote, MonoTime now) {
  if (!needs_somebody(reason)) return std::nullopt;
  const auto key = std::pair{address_of(remote), reason};
  const auto known = told_.find(key);
  if (known != told_.end()) {
    if (now - known->second.at < kEvery) {
      ++known->second.left_out;
      return std::nullopt;
    }
    known->second.at = now;
    return std::exchange(known->second.left_out, 0);
  }
  if (told_.size() == kAddresses)
    told_.erase(std::min_element(told_.begin(), told_.end(),
                                 [](const auto& a, const auto& b) { return a.second.at < b.second.at; }));
  told_.emplace(key, Told{now, 0});
  return 0;
}

}  // namespace ward::collector
