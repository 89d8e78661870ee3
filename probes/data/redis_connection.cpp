#include "probes/data/redis_connection.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>
#include <optional>
#include <utility>

#include "common/async/within.hpp"
#include "common/net/resolve.hpp"

namespace ward::probes::data {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

RedisFailure lookup_failure(net::ResolveFailure why, const RedisOptions& options) {
  RedisFailure f;
  f.connection_lost = true;
  switch (why) {
    case net::ResolveFailure::no_such_name: f.reason = FailureReason::dns_nxdomain; break;
    case net::ResolveFailure::no_answer: f.reason = FailureReason::dns_timeout; break;
    case net::ResolveFailure::failed: f.reason = FailureReason::dns_failed; break;
  }
  f.error = {Errc::unavailable, "The name of Redis at " + address_of(options) + " could not be looked up",
             "Correct 'host' of the target, or check the node's name servers."};
  return f;
}

Status load_files(asio::ssl::context& context, const RedisOptions& options) {
  const auto unusable = [](const std::string& file) {
    return fail(Errc::invalid, "The TLS file " + file + " is missing or not PEM", "Correct 'tls' of the redis target.");
  };
  error_code error;
  if (options.ca.empty())
    context.set_default_verify_paths(error);
  else
    context.load_verify_file(options.ca, error);
  if (error) return unusable(options.ca.empty() ? "store of the system" : options.ca);
  if (options.certificate.empty()) return {};
  context.use_certificate_chain_file(options.certificate, error);
  if (error) return unusable(options.certificate);
  context.use_private_key_file(options.key, asio::ssl::context::pem, error);
  if (error) return unusable(options.key);
  return {};
}

}  // namespace

struct RedisConnection::Impl {
  using Stream = asio::ssl::stream<tcp::socket>;
  explicit Impl(RedisOptions o) : options(std::move(o)) {}
  RedisOptions options;
  asio::ssl::context context{asio::ssl::context::tls_client};
  std::optional<Stream> stream;
  RedisReplyReader reader;
  bool mid_answer = false;
};

RedisConnection::RedisConnection(RedisOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
RedisConnection::~RedisConnection() = default;

bool RedisConnection::open() const { return impl_->stream.has_value() && !impl_->mid_answer; }

void RedisConnection::close() {
  if (impl_->stream) {
    error_code ignored;
    impl_->stream->next_layer().close(ignored);
  }
  impl_->stream.reset();
  impl_->reader = RedisReplyReader{};
  impl_->mid_answer = false;
}

async::Task<RedisResult<void>> RedisConnection::handshake() {
  auto& stream = *impl_->stream;
  const auto& options = impl_->options;
  const auto& name = options.server_name.empty() ? options.host : options.server_name;
  error_code literal;
  asio::ip::make_address(name, literal);
  if (literal) SSL_set_tlsext_host_name(stream.native_handle(), name.c_str());
  stream.set_verify_mode(asio::ssl::verify_peer);
  // OpenSSL's own check tells a wrong name from a wrong chain in the verification result.
  auto* parameters = SSL_get0_param(stream.native_handle());
  if (literal)
    X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), name.size());
  else
    X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str());
  error_code error;
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return tl::unexpected(redis_tls_failure(SSL_get_verify_result(stream.native_handle()), options));
  co_return RedisResult<void>{};
}

async::Task<RedisResult<void>> RedisConnection::establish(async::BlockingPool* pool) {
  const auto& options = impl_->options;
  if (options.tls) {
    impl_->context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    if (auto loaded = load_files(impl_->context, options); !loaded) {
      RedisFailure f;
      f.reason = FailureReason::tls_untrusted;
      f.error = loaded.error();
      co_return tl::unexpected(std::move(f));
    }
  }
  const auto addresses = co_await net::resolve(*pool, options.host);
  if (!addresses) co_return tl::unexpected(lookup_failure(addresses.error(), options));
  const auto executor = co_await asio::this_coro::executor;
  error_code error = asio::error::host_unreachable;
  for (const auto& address : *addresses) {
    impl_->stream.emplace(executor, impl_->context);
    const tcp::endpoint endpoint(address, options.port);
    co_await impl_->stream->next_layer().async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    if (!error) break;
  }
  if (error) co_return tl::unexpected(redis_io_failure(error, options));
  impl_->stream->next_layer().set_option(tcp::no_delay(true), error);
  impl_->stream->next_layer().set_option(tcp::socket::keep_alive(true), error);
  if (!options.tls) co_return RedisResult<void>{};
  auto secured = co_await handshake();
  co_return secured;
}

async::Task<RedisResult<void>> RedisConnection::connect(async::BlockingPool* pool) {
  close();
  impl_->mid_answer = true;  // a cancelled connect leaves a stream that nobody may use
  auto established = co_await async::within(impl_->options.timeout, establish(pool));
  if (!established || !*established) {
    close();
    co_return tl::unexpected(established ? std::move(established->error()) : redis_timed_out(impl_->options));
  }
  impl_->mid_answer = false;
  if (impl_->options.password.empty()) co_return RedisResult<void>{};
  std::vector<std::vector<std::string>> auth(1);
  auth[0].emplace_back("AUTH");
  if (!impl_->options.user.empty()) auth[0].push_back(impl_->options.user);
  auth[0].push_back(impl_->options.password.reveal());
  auto replies = co_await exchange(std::move(auth));
  if (!replies) co_return tl::unexpected(std::move(replies.error()));
  if (replies->front().kind == RedisReply::Kind::error) {
    close();
    co_return tl::unexpected(redis_refusal(replies->front().text, "AUTH", impl_->options));
  }
  co_return RedisResult<void>{};
}

async::Task<RedisResult<std::vector<RedisReply>>> RedisConnection::transfer(std::string request, std::size_t replies) {
  auto& stream = *impl_->stream;
  const bool tls = impl_->options.tls;
  error_code error;
  const auto out = asio::buffer(request);
  if (tls)
    co_await asio::async_write(stream, out, asio::redirect_error(asio::use_awaitable, error));
  else
    co_await asio::async_write(stream.next_layer(), out, asio::redirect_error(asio::use_awaitable, error));
  std::vector<RedisReply> received;
  std::array<char, 16384> bytes{};
  const auto in = asio::buffer(bytes);
  // A refusing server says why and closes before it reads: look for its words even when the write failed.
  error.clear();
  while (received.size() < replies) {
    auto reply = impl_->reader.next();
    if (!reply) {
      RedisFailure f;
      f.reason = FailureReason::protocol;
      f.connection_lost = true;
      f.error = reply.error();
      co_return tl::unexpected(std::move(f));
    }
    if (*reply) {
      received.push_back(std::move(**reply));
      continue;
    }
    std::size_t got = 0;
    if (tls)
      got = co_await stream.async_read_some(in, asio::redirect_error(asio::use_awaitable, error));
    else
      got = co_await stream.next_layer().async_read_some(in, asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    if (auto fed = impl_->reader.feed({bytes.data(), got}); !fed) {
      RedisFailure f;
      f.reason = FailureReason::protocol;
      f.connection_lost = true;
      f.error = fed.error();
      co_return tl::unexpected(std::move(f));
    }
  }
  if (!error) co_return received;
  if (!received.empty() && received.front().kind == RedisReply::Kind::error)
    co_return tl::unexpected(redis_refusal(received.front().text, "the first command", impl_->options));
  co_return tl::unexpected(redis_io_failure(error, impl_->options));
}

async::Task<RedisResult<std::vector<RedisReply>>> RedisConnection::exchange(std::vector<std::vector<std::string>> commands) {
  const auto count = commands.size();
  auto request = redis_request(commands);
  impl_->mid_answer = true;
  auto answer = co_await async::within(impl_->options.timeout, transfer(std::move(request), count));
  impl_->mid_answer = false;
  if (answer && *answer) co_return std::move(*answer);
  close();
  co_return tl::unexpected(answer ? std::move(answer->error()) : redis_timed_out(impl_->options));
}

}  // namespace ward::probes::data
