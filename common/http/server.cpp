#include "common/http/server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <list>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include "common/async/task_group.hpp"
#include "common/async/within.hpp"
#include "common/http/form.hpp"
#include "common/net/acceptor.hpp"
#include "common/net/endpoint.hpp"

namespace ward::http {
namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;
namespace {

using Parser = beast::http::request_parser<beast::http::string_body>;
using Message = beast::http::response<beast::http::string_body>;

/// What a stop gives running requests.
constexpr auto kGrace = 2s;
/// After a failed accept (no descriptors left): long enough not to spin.
constexpr auto kBreath = 100ms;
/// A client that is refused may still be sending; its reset would eat the answer, so some of it is read away.
constexpr auto kLinger = 500ms;
constexpr std::size_t kLingerBytes = 4 << 20;
/// What is read of a body at once, at most: Beast fills the buffer that is there, which after a head is small.
constexpr std::size_t kBodyPiece = 64 << 10;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// RFC 9457. Constant texts only: nothing of the request comes back.
ServerResponse problem(int status, std::string_view title, std::string_view detail) {
  ServerResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = "{\"type\":\"about:blank\",\"title\":\"" + std::string(title) + "\",\"status\":" + std::to_string(status) +
                  ",\"detail\":\"" + std::string(detail) + "\"}";
  return response;
}

/// The answer to what could not be read; nullopt when the client only left or fell silent.
std::optional<ServerResponse> refusal(const error_code& error) {
  using Beast = beast::http::error;
  if (error == Beast::body_limit)
    return problem(413, "Content Too Large", "The request body is larger than this server takes.");
  if (error == Beast::header_limit || error == Beast::buffer_overflow)
    return problem(431, "Request Header Fields Too Large", "The request head is larger than this server takes.");
  if (error == Beast::end_of_stream || error == Beast::partial_message || error == Beast::need_buffer) return std::nullopt;
  if (error.category() == beast::http::make_error_code(Beast::bad_method).category())
    return problem(400, "Bad Request", "The request is not HTTP/1.1 as RFC 9112 defines it.");
  return std::nullopt;
}

/// All but the body; nullopt when its target is no path.
template <class Head>
std::optional<ServerRequest> head_of(const Head& message, const std::string& peer) {
  const std::string_view target = view(message.target());
  const auto question = target.find('?');
  const auto path = percent_decode(target.substr(0, question), Plus::is_plus);
  if (!target.starts_with('/') || !path || path->find('\0') != std::string::npos) return std::nullopt;
  ServerRequest request;
  request.method = view(message.method_string());
  request.path = *path;
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  for (const auto& field : message) request.headers.emplace_back(lower(view(field.name_string())), view(field.value()));
  request.peer = peer;
  return request;
}

std::optional<ServerRequest> to_request(Parser& parser, const std::string& peer) {
  auto message = parser.release();
  auto request = head_of(message, peer);
  if (request) request->body = std::move(message.body());
  return request;
}

/// The limit of one request's body in place of that of all. Beast itself compares a stated length only while it reads the
/// head.
error_code limit_body(Parser& parser, const ServerOptions& options, const std::string& peer) {
  const auto head = head_of(parser.get(), peer);
  const auto limit = head && options.body_limit ? options.body_limit(*head) : options.max_body_bytes;
  parser.body_limit(limit);
  const auto stated = parser.content_length();
  return stated && *stated > limit ? make_error_code(beast::http::error::body_limit) : error_code{};
}

bool safe_header(const std::pair<std::string, std::string>& header) {
  const auto control = [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; };
  return !header.first.empty() && std::none_of(header.first.begin(), header.first.end(), control) &&
         std::none_of(header.second.begin(), header.second.end(), control);
}

Message to_message(ServerResponse response) {
  if (!std::all_of(response.headers.begin(), response.headers.end(), safe_header) ||
      !safe_header({"content-type", response.content_type}))
    response = problem(500, "Internal Server Error", "The server made a header with a line break.");
  Message message;
  message.version(11);
  message.result(static_cast<unsigned>(response.status));
  const bool bodyless = response.status == 204 || response.status == 304;
  if (!bodyless) message.set(beast::http::field::content_type, response.content_type);
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  message.body() = bodyless ? std::string() : std::move(response.body);
  if (!bodyless) message.content_length(message.body().size());
  return message;
}

/// Sees the client of a running request leave. A client that closes only its sending side counts as gone, as it does for
/// most servers. Thread: the executor's.
class Departure {
 public:
  explicit Departure(tcp::socket& socket) : seen_(std::make_shared<Seen>()) {
    seen_->socket = &socket;
    watch(seen_);
  }
  ~Departure() {
    error_code ignored;
    std::exchange(seen_->socket, nullptr)->cancel(ignored);
  }
  Departure(const Departure&) = delete;
  Departure& operator=(const Departure&) = delete;
  [[nodiscard]] std::shared_ptr<const std::atomic<bool>> flag() const { return {seen_, &seen_->gone}; }

 private:
  struct Seen {
    tcp::socket* socket = nullptr;
    std::atomic<bool> gone{false};
  };
  static void watch(const std::shared_ptr<Seen>& seen) {
    seen->socket->async_wait(tcp::socket::wait_read, [seen](const error_code& error) {
      if (error || seen->socket == nullptr) return;
      char next = 0;
      const auto got = ::recv(seen->socket->native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
      if (got > 0) return;  // the next request is here already; whether its sender waits shows when it is answered
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return watch(seen);
      seen->gone = true;
    });
  }
  std::shared_ptr<Seen> seen_;
};

class BeastServer final : public Server {
 public:
  BeastServer(asio::any_io_executor executor, ServerOptions options, Handler handler)
      : options_(std::move(options)), handler_(std::move(handler)), acceptor_(executor), tasks_(executor) {}

  Status start() override;
  [[nodiscard]] std::uint16_t port() const override { return port_; }
  async::Task<void> stop() override;

 private:
  struct Session {
    explicit Session(tcp::socket socket) : stream(std::move(socket)) {}
    beast::tcp_stream stream;
    beast::flat_buffer buffer;
    std::string peer;
    bool busy = false;  // a request is being read, handled or answered
  };
  enum class Next { keep, close, linger };

  async::Task<void> accept_all();
  async::Task<void> serve(tcp::socket socket);
  async::Task<Next> one_request(Session& session);
  async::Task<ServerResponse> answer(ServerRequest request);
  async::Task<Next> send(Session& session, ServerResponse response, bool head, bool keep);
  async::Task<void> linger(Session& session);

  ServerOptions options_;
  Handler handler_;
  tcp::acceptor acceptor_;
  std::list<Session> sessions_;
  std::uint16_t port_ = 0;
  bool stopping_ = false;
  async::TaskGroup tasks_;
};

Status BeastServer::start() {
  const auto endpoint = net::parse_listen_address(options_.address);
  if (!endpoint) return fail(endpoint.error());
  if (auto listening = net::listen_on(acceptor_, *endpoint, options_.address); !listening) return listening;
  port_ = acceptor_.local_endpoint().port();
  tasks_.spawn("accept", accept_all());
  return {};
}

async::Task<void> BeastServer::stop() {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  for (auto& session : sessions_)
    if (!session.busy) session.stream.cancel();
  auto finished = tasks_.join();
  auto with_value = [](async::Task<void> task) -> async::Task<bool> {
    co_await std::move(task);
    co_return true;
  };
  auto waiting = with_value(std::move(finished));
  co_await async::within(kGrace, std::move(waiting));
  co_await tasks_.stop();
}

async::Task<void> BeastServer::accept_all() {
  while (acceptor_.is_open()) {
    error_code error;
    tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      co_await async::sleep_for(kBreath);
      continue;
    }
    // Past the cap the connection is closed at once: a slow client must not make the next one wait.
    if (sessions_.size() < options_.max_connections) tasks_.spawn("session", serve(std::move(socket)));
  }
}

async::Task<void> BeastServer::serve(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const auto from = socket.remote_endpoint(ignored);
  struct Place {
    std::list<Session>& all;
    std::list<Session>::iterator at;
    ~Place() { all.erase(at); }
  };
  const auto at = sessions_.emplace(sessions_.end(), std::move(socket));
  const Place place{sessions_, at};
  at->peer = net::to_string(net::Endpoint{from.address().to_string(), from.port()});
  at->buffer.max_size(options_.max_head_bytes + kBodyPiece);
  Next next = Next::keep;
  while (next == Next::keep) next = co_await one_request(*at);
  if (next == Next::linger) co_await linger(*at);
}

async::Task<BeastServer::Next> BeastServer::one_request(Session& session) {
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(options_.max_head_bytes));
  parser.body_limit(boost::none);  // until the head is read
  session.stream.expires_after(options_.idle_timeout);
  error_code error;
  session.busy = session.buffer.size() > 0;
  co_await beast::http::async_read_header(session.stream, session.buffer, parser,
                                          asio::redirect_error(asio::use_awaitable, error));
  session.busy = true;
  if (!error) error = limit_body(parser, options_, session.peer);
  if (!error && lower(view(parser.get()[beast::http::field::expect])) == "100-continue") {
    beast::http::response<beast::http::empty_body> go_on(beast::http::status::continue_, 11);
    co_await beast::http::async_write(session.stream, go_on, asio::redirect_error(asio::use_awaitable, error));
  }
  if (!error) {
    const auto stated = parser.content_length().value_or(parser.chunked() ? kBodyPiece : 0);
    session.buffer.reserve(std::min<std::size_t>(stated, kBodyPiece));
    co_await beast::http::async_read(session.stream, session.buffer, parser,
                                     asio::redirect_error(asio::use_awaitable, error));
  }
  if (error) {
    auto refused = refusal(error);
    if (!refused) co_return Next::close;
    co_return co_await send(session, std::move(*refused), false, false);
  }
  const bool keep = parser.get().keep_alive();
  const bool head = parser.get().method() == beast::http::verb::head;
  auto request = to_request(parser, session.peer);
  ServerResponse response = problem(400, "Bad Request", "The request target is not a path.");
  session.stream.expires_never();  // the handler has its own limits
  if (request) {
    const Departure departure(session.stream.socket());
    request->gone = departure.flag();
    response = co_await answer(std::move(*request));
  }
  co_return co_await send(session, std::move(response), head, keep && request.has_value());
}

async::Task<ServerResponse> BeastServer::answer(ServerRequest request) {
  std::string what = "unknown exception";
  try {
    auto handling = handler_(std::move(request));
    co_return co_await std::move(handling);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    what = e.what();
  } catch (const std::exception& e) {  // its text may hold anything: it does not leave the server
    what = e.what();
  }
  if (options_.on_error) options_.on_error(what);
  co_return problem(500, "Internal Server Error", "The server failed to answer. Its log says more.");
}

async::Task<BeastServer::Next> BeastServer::send(Session& session, ServerResponse response, bool head, bool keep) {
  keep = keep && !stopping_;
  const bool was_refused = response.status == 413 || response.status == 431 || response.status == 400;
  const auto held = std::move(response.held);
  Message message = to_message(std::move(response));
  message.keep_alive(keep);
  session.stream.expires_after(options_.write_timeout);
  error_code error;
  beast::http::response_serializer<beast::http::string_body> serializer(message);
  if (head) {
    co_await beast::http::async_write_header(session.stream, serializer, asio::redirect_error(asio::use_awaitable, error));
  } else {
    co_await beast::http::async_write(session.stream, serializer, asio::redirect_error(asio::use_awaitable, error));
  }
  session.busy = false;
  if (error) co_return Next::close;
  if (keep) co_return Next::keep;
  co_return was_refused ? Next::linger : Next::close;
}

async::Task<void> BeastServer::linger(Session& session) {
  error_code error;
  session.stream.socket().shutdown(tcp::socket::shutdown_send, error);
  session.stream.expires_after(kLinger);
  std::vector<char> away(16 << 10);
  for (std::size_t total = 0; !error && total < kLingerBytes;)
    total += co_await session.stream.async_read_some(asio::buffer(away), asio::redirect_error(asio::use_awaitable, error));
}

}  // namespace

std::string_view ServerRequest::header(std::string_view lower_case_name) const {
  const auto at = std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return h.first == lower_case_name; });
  return at == headers.end() ? std::string_view() : std::string_view(at->second);
}

std::unique_ptr<Server> make_server(asio::any_io_executor executor, ServerOptions options, Server::Handler handler) {
  return std::make_unique<BeastServer>(std::move(executor), std::move(options), std::move(handler));
}

}  // namespace ward::http
