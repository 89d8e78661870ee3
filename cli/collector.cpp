#include "cli/collector.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/config/secret_source.hpp"

namespace ward::cli {
namespace {

constexpr auto kDefaultUrl = "http://127.0.0.1:9802";
constexpr std::uint64_t kMaxAnswerBytes = 64 << 20;
constexpr std::chrono::seconds kTimeout{30};

bool is_loopback(std::string_view url) {
  const auto host = url.substr(std::string_view("http://").size());
  for (const std::string_view own : {"127.0.0.1", "localhost", "[::1]"})
    if (host.starts_with(own) && (host.size() == own.size() || host[own.size()] == ':' || host[own.size()] == '/'))
      return true;
  return false;
}

/// The sentence an API put into its error: Prometheus' `error`, or `detail` and `title` of RFC 9457.
std::string sentence_of(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_string()) return json.get<std::string>();  // Alertmanager's way
  if (!json.is_object()) return {};
  for (const auto* key : {"error", "detail", "title"}) {
    const auto at = json.find(key);
    if (at == json.end() || !at->is_string() || at->get_ref<const std::string&>().empty()) continue;
    auto sentence = at->get<std::string>();
    std::replace(sentence.begin(), sentence.end(), '\n', ' ');
    return sentence;
  }
  return {};
}

/// Why nobody answered, for the brackets of one sentence; "" for failures of another kind.
std::string_view unreachable(http::FailureKind kind) {
  switch (kind) {
    case http::FailureKind::connect_refused: return "connection refused";
    case http::FailureKind::connect_timeout: return "connection timed out";
    case http::FailureKind::connect_failed: return "connection failed";
    case http::FailureKind::dns_nxdomain: return "unknown host name";
    case http::FailureKind::dns_timeout: return "the name lookup timed out";
    case http::FailureKind::dns_failed: return "the name lookup failed";
    case http::FailureKind::timeout: return "no answer within 30 s";
    case http::FailureKind::bad_url:
    case http::FailureKind::tls_untrusted:
    case http::FailureKind::tls_expired:
    case http::FailureKind::tls_name_mismatch:
    case http::FailureKind::tls_protocol:
    case http::FailureKind::too_many_redirects:
    case http::FailureKind::protocol:
    case http::FailureKind::cancelled: return "";
  }
  return "";
}

using Answer = tl::expected<http::Response, http::Failure>;

/// Runs one request to its end on an io_context of its own.
Answer send(const Outside& outside, http::Request request) {
  async::asio::io_context io{1};
  const auto client = outside.make_client(io.get_executor());
  std::optional<Answer> answer;
  std::exception_ptr broken;
  async::asio::co_spawn(io, client->send(std::move(request)), [&](std::exception_ptr e, Answer a) {
    broken = e;
    answer = std::move(a);
  });
  io.run();
  if (broken) std::rethrow_exception(broken);
  return std::move(*answer);
}

}  // namespace

std::string url_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos)
      out += c;
    else
      out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
  }
  return out;
}

Collector::Collector(CollectorOptions options, Secret token, const Outside& outside)
    : options_(std::move(options)), token_(std::move(token)), outside_(&outside) {}

Result<Collector> Collector::open(CollectorOptions options, const Outside& outside) {
  if (options.url.empty()) options.url = outside.environment("WARD_COLLECTOR");
  if (options.url.empty()) options.url = kDefaultUrl;
  if (options.token_file.empty()) options.token_file = outside.environment("WARD_TOKEN_FILE");
  while (options.url.ends_with('/')) options.url.pop_back();
  const bool plain = options.url.starts_with("http://");
  const auto rest = options.url.find("://") == std::string::npos ? "" : options.url.substr(options.url.find("://") + 3);
  if ((!plain && !options.url.starts_with("https://")) || rest.empty() ||
      rest.find_first_of("@?# \t\n") != std::string::npos)
    return fail(Errc::invalid, "The collector's address is not an http or https URL without user name and query",
                "Write it like http://127.0.0.1:9802.");
  if (options.token_file.empty()) return Collector{std::move(options), Secret{}, outside};
  if (plain && !is_loopback(options.url))
    return fail(Errc::denied, "A token is not sent unencrypted to " + options.url, "Use https in --collector.");
  auto token = config::secret_from_file(options.token_file);
  if (!token) return fail(token.error());
  return Collector{std::move(options), std::move(*token), outside};
}

Result<std::string> Collector::get(const std::string& path_and_query) const { return ask({}, path_and_query); }

Result<std::string> Collector::post(const std::string& path, std::string json) const {
  http::Request request;
  request.method = "POST";
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(json);
  return ask(std::move(request), path);
}

Result<std::string> Collector::remove(const std::string& path) const {
  http::Request request;
  request.method = "DELETE";
  return ask(std::move(request), path);
}

Result<std::string> Collector::ask(http::Request request, const std::string& path_and_query) const {
  request.url = options_.url + path_and_query;
  request.timeout = kTimeout;
  request.max_body_bytes = kMaxAnswerBytes;
  request.tls.ca_file = options_.ca_file;
  request.headers.emplace_back("Accept", "application/json");
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_.reveal());
  auto answer = send(*outside_, std::move(request));
  if (!answer) return fail(explain(answer.error()));
  if (answer->status != 200) return fail(explain(*answer, path_and_query.substr(0, path_and_query.find('?'))));
  if (answer->truncated)
    return fail(Errc::full, "The answer is larger than 64 MiB", "Ask for fewer series or a shorter range.");
  return std::move(answer->body);
}

Error Collector::explain(const http::Failure& failure) const {
  if (const auto reason = unreachable(failure.kind); !reason.empty())
    return {Errc::unavailable, "No collector answers at " + options_.url + " (" + std::string(reason) + ")",
            "Start it or set --collector."};
  if (failure.kind == http::FailureKind::tls_untrusted)
    return {Errc::denied, "The certificate at " + options_.url + " is not signed by a trusted authority",
            "Give the authority with --ca-file."};
  return {failure.error.code, "The collector at " + options_.url + " cannot be asked: " + failure.error.what,
          failure.error.fix};
}

Error Collector::explain(const http::Response& response, const std::string& path) const {
  const auto said = sentence_of(response.body);
  const auto status = std::to_string(response.status);
  if (response.status == 401 || response.status == 403)
    return {Errc::denied,
            "The collector at " + options_.url + " refuses access (" + status + ")" + (said.empty() ? "" : ": " + said),
            "Give a token that may do this with --token-file."};
  if (response.status == 503 && !said.empty())
    return {Errc::unavailable, "The collector cannot answer now: " + said, "Ask again in a moment."};
  if (!said.empty()) return {Errc::invalid, "The collector refuses: " + said, "Correct the request."};
  if (response.status == 404)
    return {Errc::not_found, options_.url + " answers, but knows no " + path, "Name a Ward collector in --collector."};
  return {Errc::unavailable, "The collector at " + options_.url + " answers " + status, "Look into the collector's log."};
}

}  // namespace ward::cli
