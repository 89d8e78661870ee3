#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/http/client.hpp"

namespace ward::http {

struct ServerRequest {
  std::string method;
  std::string path;   ///< decoded, without query
  std::string query;  ///< raw, after '?'
  Headers headers;    ///< names in lower case
  std::string body;
  std::string peer;  ///< "127.0.0.1:51234"
  /// Becomes true when the client closes the connection before it is answered: then nobody reads the answer. Null when
  /// nobody can tell. Threads: any.
  std::shared_ptr<const std::atomic<bool>> gone;
  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;
};

/// First value of a form parameter of `query` (or of an x-www-form-urlencoded body), percent-decoded; "" when absent.
std::string form_value(std::string_view encoded, std::string_view name);
/// All of them, in order.
std::vector<std::string> form_values(std::string_view encoded, std::string_view name);

struct ServerResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;
  /// Let go when the answer is written or the client is given up: for what counts memory.
  std::shared_ptr<const void> held = nullptr;
};

struct ServerOptions {
  std::string address = "127.0.0.1:0";  ///< host:port; port 0 picks a free one
  std::size_t max_connections = 256;
  std::size_t max_head_bytes = 16 << 10;
  std::size_t max_body_bytes = 1 << 20;
  /// Asked when a head is read, before its body: what this request's body may have, where it is not max_body_bytes. The
  /// request has no body and no `gone` yet. May be empty.
  std::function<std::size_t(const ServerRequest& head)> body_limit;
  std::chrono::milliseconds idle_timeout{10'000};
  std::chrono::milliseconds write_timeout{10'000};
  /// Told why a handler threw, on the executor's thread: the client hears only that the server failed. For the log.
  std::function<void(std::string_view what)> on_error;
};

/// A small HTTP/1.1 server (Beast behind this wall). Handlers run on the executor's thread; long work must leave it.
class Server {
 public:
  using Handler = std::function<async::Task<ServerResponse>(ServerRequest)>;
  virtual ~Server() = default;
  /// Errc::unavailable when the address is taken: names it and says what to change.
  virtual Status start() = 0;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  /// Stops accepting, gives running requests a moment, closes.
  virtual async::Task<void> stop() = 0;
};
std::unique_ptr<Server> make_server(async::asio::any_io_executor executor, ServerOptions options, Server::Handler handler);

}  // namespace ward::http
