#include "collector/notify/http_target.hpp"

#include "common/http/url.hpp"

namespace ward::collector {
namespace {

bool is_this_machine(const std::string& host) { return host == "127.0.0.1" || host == "::1" || host == "localhost"; }

}  // namespace

void check_url(config::Section& from, std::string_view key, const std::string& url, std::string_view whose,
               Carries carries) {
  if (url.empty()) return;
  const auto parsed = http::parse_url(url);
  if (!parsed) {
    from.problems().add(from.at(key), std::string(whose) + " has no http or https URL: " + parsed.error().what,
                        "Write the whole address, for example https://alerts.example/hook.");
    return;
  }
  if (carries == Carries::secret && parsed->scheme == "http" && !is_this_machine(parsed->host))
    from.problems().add(from.at(key), "the token of " + std::string(whose) + " would go out unencrypted", "Use https.");
}

Secret required_secret(config::Section& from, std::string_view key, std::string_view whose) {
  auto secret = from.secret(key);
  if (!from.has(key))
    from.problems().add(from.at(), std::string(whose) + " needs the key '" + std::string(key) + "'",
                        "Put it into a file and add '" + std::string(key) + ": {file: PATH}'.");
  return secret;
}

std::string read_api_url(config::Section& from, std::string default_url, std::string_view whose) {
  auto url = from.text("url", std::move(default_url));
  check_url(from, "url", url, whose, Carries::secret);
  return url;
}

void read_way(config::Section& from, HttpTarget& target) {
  target.ca_file = from.text("ca_file", "");
  target.proxy = from.text("proxy", "");
}

http::Request json_post(const HttpTarget& target, std::string url, std::string body) {
  http::Request request;
  request.method = "POST";
  request.url = std::move(url);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  request.proxy = target.proxy;
  request.tls.ca_file = target.ca_file;
  return request;
}

std::string join_url(std::string_view base, std::string_view path) {
  std::string out(base);
  while (!out.empty() && out.back() == '/') out.pop_back();
  return out + "/" + std::string(path.substr(path.starts_with('/') ? 1 : 0));
}

}  // namespace ward::collector
