#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/http/mail.hpp"
#include "common/net/served_chain.hpp"

namespace ward::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// How a server's certificate is judged. Verification cannot be switched off for senders; a probe that wants to look at a
/// bad certificate uses the tls probe.
struct ClientTls {
  std::string ca_file;      ///< "" = the system's store
  std::string certificate;  ///< client certificate and key, PEM paths; "" = none
  std::string key;
};

struct Request {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  std::chrono::milliseconds timeout{10'000};  ///< whole exchange
  std::chrono::milliseconds connect_timeout{5'000};
  std::uint64_t max_body_bytes = 64 << 10;  ///< the rest is not read; Response::truncated says so
  int max_redirects = 0;                    ///< credentials never follow to another host
  std::string proxy;                        ///< "" = none; the environment is ignored
  std::string pin_address;                  ///< connect here instead of resolving; SNI and Host stay the URL's
  bool http2 = false;
  bool accept_gzip = false;       ///< the body is unpacked, and max_body_bytes is of what is unpacked
  bool fresh_connection = false;  ///< never reuse one: a probe measures the whole way
  ClientTls tls;
};

/// Durations of one exchange, as blackbox_exporter splits them.
struct Phases {
  std::chrono::nanoseconds resolve{0}, connect{0}, tls{0}, processing{0}, transfer{0};
};

/// What the server showed in its TLS handshake; empty on a reused connection and without TLS.
struct TlsFacts {
  std::string version;     ///< "TLSv1.3"
  std::string cipher;      ///< IANA's name: "TLS_AES_128_GCM_SHA256"
  net::ChainRecord chain;  ///< known even when the verification failed
};

/// One request of a chain of redirects.
struct Hop {
  std::string url;  ///< without query string
  int status = 0;
  Phases phases;
};

struct Response {
  int status = 0;
  int version_major = 1, version_minor = 1;
  Headers headers;  ///< names in lower case
  std::string body;
  bool truncated = false;
  int redirects = 0;
  std::string final_url;  ///< without query string
  std::string remote_address;
  Phases phases;          ///< of all hops together
  std::vector<Hop> hops;  ///< in order, the last is the final one
  TlsFacts tls;           ///< of the last hop
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
};

enum class FailureKind : std::uint8_t {
  bad_url,
  dns_nxdomain,
  dns_timeout,
  dns_failed,
  connect_refused,
  connect_timeout,
  connect_failed,
  tls_untrusted,
  tls_expired,
  tls_name_mismatch,
  tls_protocol,
  timeout,
  too_many_redirects,
  protocol,
  cancelled
};
std::string_view to_string(FailureKind kind);

struct Failure {
  FailureKind kind = FailureKind::protocol;
  Error error;  ///< names host and port, never the query string, headers or body
  Phases phases;
  std::vector<Hop> hops;  ///< that did answer before the failing one
  TlsFacts tls;           ///< of the failing one
};

/// Sends one request; any HTTP status is a Response. Thread: the io_context's.
class Client {
 public:
  virtual ~Client() = default;
  virtual async::Task<tl::expected<Response, Failure>> send(Request request) = 0;
  /// Hands one mail to its server. The answer's status is SMTP's: 250 taken, 4xx not now, 5xx refused; nothing else of it is
  /// kept. A client that sends no mail says so (bad_url).
  virtual async::Task<tl::expected<Response, Failure>> deliver(Mail mail);
};

/// libcurl's multi interface driven by Asio (curl_client.cpp). Outlives its requests; cancelling the awaiting task ends the
/// exchange at once. Names are resolved on threads of its own, which its destructor joins.
std::unique_ptr<Client> make_curl_client(async::asio::any_io_executor executor);

}  // namespace ward::http
