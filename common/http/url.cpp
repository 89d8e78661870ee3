#include "common/http/url.hpp"

#include <algorithm>
#include <curl/curl.h>
#include <memory>

namespace ward::http {
namespace {

struct Free {
  void operator()(CURLU* u) const { curl_url_cleanup(u); }
};
using Handle = std::unique_ptr<CURLU, Free>;

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

tl::unexpected<Error> bad(const char* what) {
  return fail(Errc::invalid, what, "Write it as https://host/path; give credentials as a secret.");
}

}  // namespace

std::string Url::host_port() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Url> parse_url(const std::string& text) {
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return bad("the URL holds blanks or control characters");
  const Handle handle(curl_url());
  if (text.empty() || curl_url_set(handle.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    return bad("the URL cannot be read");
  Url url;
  url.scheme = part(handle.get(), CURLUPART_SCHEME);
  if (url.scheme != "http" && url.scheme != "https") return bad("the URL is neither http nor https");
  if (!part(handle.get(), CURLUPART_USER).empty() || !part(handle.get(), CURLUPART_PASSWORD).empty())
    return bad("the URL holds a user name or a password");
  url.host = part(handle.get(), CURLUPART_HOST);
  if (url.host.size() > 2 && url.host.front() == '[') url.host = url.host.substr(1, url.host.size() - 2);
  if (url.host.empty()) return bad("the URL names no host");
  std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  url.port = static_cast<std::uint16_t>(std::stoul("0" + part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)));
  curl_url_set(handle.get(), CURLUPART_QUERY, nullptr, 0);
  curl_url_set(handle.get(), CURLUPART_FRAGMENT, nullptr, 0);
  url.without_query = part(handle.get(), CURLUPART_URL);
  return url;
}

Result<std::string> resolve_reference(const std::string& base, const std::string& reference) {
  const Handle handle(curl_url());
  if (curl_url_set(handle.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK ||
      curl_url_set(handle.get(), CURLUPART_URL, reference.c_str(), CURLU_URLENCODE) != CURLUE_OK)
    return fail(Errc::invalid, "the server redirects to something that is no URL", "Correct the server's Location header.");
  curl_url_set(handle.get(), CURLUPART_FRAGMENT, nullptr, 0);
  return part(handle.get(), CURLUPART_URL);
}

}  // namespace ward::http
