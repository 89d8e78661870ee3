#include <algorithm>
#include <array>
#include <optional>

#include "common/async/blocking.hpp"
#include "common/async/within.hpp"
#include "common/base/world.hpp"
#include "common/http/client.hpp"
#include "common/http/curl_mail.hpp"
#include "common/http/curl_multi.hpp"
#include "common/http/curl_transfer.hpp"

namespace ward::http {
namespace {

using Outcome = tl::expected<Response, Failure>;

constexpr std::size_t kMaxLookups = 16;
/// All that may follow to another origin; anything else can be a credential.
constexpr std::array<std::string_view, 3> kHarmlessHeaders{"accept", "accept-language", "user-agent"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

Failure bad_request(Error error) {
  Failure failure;
  failure.kind = FailureKind::bad_url;
  failure.error = std::move(error);
  return failure;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

/// Header injection is refused here, once: libcurl would send the line break.
std::optional<Failure> check(const Request& request) {
  bool good = !request.method.empty() &&
              std::all_of(request.method.begin(), request.method.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  for (const auto& [name, value] : request.headers)
    good = good && !name.empty() && name.find_first_of(" :;\t") == std::string::npos && !has_control(name) &&
           !has_control(value);
  if (good) return std::nullopt;
  return bad_request({Errc::invalid, "the method or a header of the request holds a character that is not allowed",
                      "Remove line breaks and blanks from the configured headers and secrets."});
}

/// A line break in an address would be a command of its own.
std::optional<Failure> check(const Mail& mail) {
  const auto good = [](const std::string& address) {
    return !address.empty() && !has_control(address) && address.find_first_of("<> \t") == std::string::npos;
  };
  // The URL is put together from these two.
  const auto is_name = [](const std::string& name) {
    return std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':';
    });
  };
  if (good(mail.from) && !mail.to.empty() && std::all_of(mail.to.begin(), mail.to.end(), good) && is_name(mail.host) &&
      !mail.host.empty() && is_name(mail.helo))
    return std::nullopt;
  return bad_request({Errc::invalid, "the mail's server or one of its addresses holds a character that is not allowed",
                      "Correct the configured names and addresses."});
}

bool is_redirect(const Response& response) {
  const auto s = response.status;
  return (s == 301 || s == 302 || s == 303 || s == 307 || s == 308) && !response.header("location").empty();
}

void add(Phases& sum, const Phases& more) {
  sum.resolve += more.resolve;
  sum.connect += more.connect;
  sum.tls += more.tls;
  sum.processing += more.processing;
  sum.transfer += more.transfer;
}

/// Turns `request` into the one for the next hop; false when the redirect may not be followed.
bool turn_to(Request& request, const Url& from, std::string target, const Url& to, int status) {
  const bool other = !from.same_origin(to);
  const bool keeps_body = status == 307 || status == 308;
  // A pinned address was checked for this host only, and a body may hold what is meant for this host only.
  if (other && (!request.pin_address.empty() || (keeps_body && !request.body.empty()))) return false;
  request.url = std::move(target);
  if (!keeps_body && request.method != "HEAD" && (status == 303 || request.method == "POST")) {
    request.method = "GET";
    request.body.clear();
    std::erase_if(request.headers, [](const auto& h) { return lower(h.first).starts_with("content-"); });
  }
  if (other) {
    std::erase_if(request.headers, [](const auto& h) {
      return std::find(kHarmlessHeaders.begin(), kHarmlessHeaders.end(), lower(h.first)) == kHarmlessHeaders.end();
    });
    request.tls.certificate.clear();
    request.tls.key.clear();
  }
  return true;
}

class CurlClient final : public Client {
 public:
  explicit CurlClient(async::asio::any_io_executor executor)
      : clock_(real_clock()),
        lookups_({kMaxLookups, std::chrono::seconds{10}}),
        multi_(std::make_shared<CurlMulti>(executor)) {}

  async::Task<Outcome> send(Request request) override;
  async::Task<Outcome> deliver(Mail mail) override;

 private:
  /// One hop; the references live in send()'s frame, which waits for it.
  async::Task<tl::expected<net::Addresses, Failure>> look_up(std::string host, std::chrono::milliseconds limit);
  async::Task<Outcome> exchange(const Request& request, const Url& url, std::chrono::milliseconds left);
  std::unique_ptr<Clock> clock_;
  async::BlockingPool lookups_;
  std::shared_ptr<CurlMulti> multi_;
};

async::Task<tl::expected<net::Addresses, Failure>> CurlClient::look_up(std::string host, std::chrono::milliseconds limit) {
  const auto started = clock_->mono();
  auto lookup = net::resolve(lookups_, host);
  auto found = co_await async::within(limit, std::move(lookup));
  if (found && *found) co_return std::move(**found);
  auto failure = found ? resolve_failure(found->error(), host)
                       : timeout_failure(FailureKind::dns_timeout, "the name servers gave no answer for " + host);
  failure.phases.resolve = clock_->mono() - started;
  co_return tl::unexpected(std::move(failure));
}

async::Task<Outcome> CurlClient::deliver(Mail mail) {
  const auto started = clock_->mono();
  if (auto wrong = check(mail)) co_return tl::unexpected(std::move(*wrong));
  const auto server = mail_server_of(mail);
  auto lookup = look_up(mail.host, std::min(mail.timeout, mail.connect_timeout));
  auto found = co_await std::move(lookup);
  if (!found) co_return tl::unexpected(std::move(found.error()));
  const auto left = mail.timeout - std::chrono::duration_cast<std::chrono::milliseconds>(clock_->mono() - started);
  CurlMail transfer(mail, server, *found, left);
  const auto code = co_await multi_->perform(transfer.handle());
  if (code) co_return transfer.finish(*code);
  Failure failure;
  failure.kind = FailureKind::cancelled;
  failure.error = {Errc::cancelled, "the mail to " + server.host_port() + " was given up",
                   "Raise the deadline if it needs longer."};
  co_return tl::unexpected(std::move(failure));
}

async::Task<Outcome> CurlClient::exchange(const Request& request, const Url& url, std::chrono::milliseconds left) {
  const auto started = clock_->mono();
  net::Addresses addresses;
  if (request.pin_address.empty() && request.proxy.empty()) {
    auto lookup = look_up(url.host, std::min(left, request.connect_timeout));
    auto found = co_await std::move(lookup);
    if (!found) co_return tl::unexpected(std::move(found.error()));
    addresses = std::move(*found);
  }
  const auto resolving = clock_->mono() - started;
  CurlTransfer transfer(request, url, addresses, left - std::chrono::duration_cast<std::chrono::milliseconds>(resolving));
  const auto code = co_await multi_->perform(transfer.handle());
  if (!code) {
    Failure failure;
    failure.kind = FailureKind::cancelled;
    failure.error = {Errc::cancelled, "the request to " + url.host_port() + " was given up",
                     "Raise the deadline if it needs longer."};
    co_return tl::unexpected(std::move(failure));
  }
  co_return transfer.finish(*code, resolving);
}

async::Task<Outcome> CurlClient::send(Request request) {
  const auto started = clock_->mono();
  if (auto wrong = check(request)) co_return tl::unexpected(std::move(*wrong));
  auto url = parse_url(request.url);
  if (!url) co_return tl::unexpected(bad_request(std::move(url.error())));
  Phases sum;
  std::vector<Hop> hops;
  while (true) {
    const auto left = request.timeout - std::chrono::duration_cast<std::chrono::milliseconds>(clock_->mono() - started);
    Outcome outcome = tl::unexpected(timeout_failure(FailureKind::timeout, url->host_port() + " did not answer in time"));
    if (left.count() > 0) outcome = co_await exchange(request, *url, left);
    if (!outcome) {
      add(sum, outcome.error().phases);
      outcome.error().phases = sum;
      outcome.error().hops = std::move(hops);
      co_return outcome;
    }
    add(sum, outcome->phases);
    hops.push_back({url->without_query, outcome->status, outcome->phases});
    const int followed = static_cast<int>(hops.size()) - 1;
    bool done = request.max_redirects == 0 || !is_redirect(*outcome);
    if (!done && followed >= request.max_redirects) {
      Failure failure;
      failure.kind = FailureKind::too_many_redirects;
      failure.error = {Errc::invalid, url->host_port() + " redirects more than " + std::to_string(followed) + " times",
                       "Raise 'max_redirects', or correct the loop on the server."};
      failure.phases = sum;
      failure.hops = std::move(hops);
      co_return tl::unexpected(std::move(failure));
    }
    if (!done) {
      auto target = resolve_reference(request.url, std::string(outcome->header("location")));
      auto next = target ? parse_url(*target) : Result<Url>(fail(target.error()));
      if (!next) co_return tl::unexpected(bad_request(std::move(next.error())));
      done = !turn_to(request, *url, std::move(*target), *next, outcome->status);
      if (!done) url = std::move(next);
    }
    if (done) {
      outcome->phases = sum;
      outcome->redirects = followed;
      outcome->hops = std::move(hops);
      co_return outcome;
    }
  }
}

}  // namespace

std::unique_ptr<Client> make_curl_client(async::asio::any_io_executor executor) {
  curl_global_init(CURL_GLOBAL_DEFAULT);  // counted and thread-safe since libcurl 7.84
  return std::make_unique<CurlClient>(std::move(executor));
}

}  // namespace ward::http
