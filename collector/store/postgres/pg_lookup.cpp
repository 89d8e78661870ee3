#include "collector/store/postgres/pg_lookup.hpp"

#include <algorithm>
#include <array>
#include <netdb.h>
#include <sys/socket.h>
#include <utility>

namespace ward::collector {

/// What getaddrinfo_a reads and writes until it is done. It is part of glibc, as is the thread that waits there.
struct PgLookup::Request {
  explicit Request(std::string name) : host(std::move(name)) {
    hints.ai_socktype = SOCK_STREAM;
    control.ar_name = host.c_str();
    control.ar_request = &hints;
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request() {
    if (control.ar_result != nullptr) ::freeaddrinfo(control.ar_result);
  }
  [[nodiscard]] bool running() { return ::gai_error(&control) == EAI_INPROGRESS; }

  std::string host;
  addrinfo hints{};
  gaicb control{};
};

PgLookup::PgLookup() = default;

PgLookup::~PgLookup() {
  // They may be written to for as long as the lookup lasts: left behind rather than waited for.
  for (auto& [host, request] : running_)
    if (request->running() && ::gai_cancel(&request->control) != EAI_CANCELED) std::ignore = request.release();
}

Result<std::vector<std::string>> PgLookup::addresses(const std::string& host, MonoTime until) {
  auto& request = running_[host];
  if (!request) {
    request = std::make_unique<Request>(host);
    auto* list = &request->control;
    if (::getaddrinfo_a(GAI_NOWAIT, &list, 1, nullptr) != 0) {
      running_.erase(host);
      return fail(Errc::unavailable, "no lookup could begin", "");
    }
  }
  while (request->running()) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) return fail(Errc::timed_out, "no name server answered", "");
    const auto whole = std::chrono::floor<std::chrono::seconds>(left);
    const timespec wait{whole.count(), (left - whole).count()};
    const gaicb* list = &request->control;
    ::gai_suspend(&list, 1, &wait);
  }
  const auto done = std::move(request);
  running_.erase(host);
  const int why = ::gai_error(&done->control);
  if (why == EAI_NONAME || why == EAI_NODATA) return fail(Errc::not_found, "no such name", "");
  if (why != 0) return fail(Errc::unavailable, "the lookup failed", "");
  std::vector<std::string> found;
  for (const auto* entry = done->control.ar_result; entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0)
      found.emplace_back(text.data());
  }
  if (found.empty()) return fail(Errc::not_found, "no such name", "");
  return found;
}

}  // namespace ward::collector
