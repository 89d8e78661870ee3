#include "common/http/curl_transfer.hpp"

#include <algorithm>
#include <openssl/ssl.h>

#include "common/base/assert.hpp"
#include "common/base/parse.hpp"

namespace ward::http {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 << 10;

std::chrono::nanoseconds info_time(CURL* easy, CURLINFO which) {
  curl_off_t us = 0;
  curl_easy_getinfo(easy, which, &us);
  return std::chrono::microseconds{us};
}

std::string bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

}  // namespace

CurlTransfer::CurlTransfer(const Request& request, const Url& url, const net::Addresses& addresses,
                           std::chrono::milliseconds time_left)
    : request_(request), url_(url), easy_(curl_easy_init()) {
  WARD_ASSERT(easy_ != nullptr);
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a proxy name that does not resolve must not hold up the thread
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, time_left.count())));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::max<std::int64_t>(1, request.connect_timeout.count())));
  curl_easy_setopt(easy, CURLOPT_PROXY, request.proxy.c_str());  // "" also switches the environment's off
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   static_cast<long>(request.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  if (request.accept_gzip) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request.fresh_connection ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request.fresh_connection ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlTransfer::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set_method();
  set_route(addresses);
  if (url.scheme == "https") set_tls();
}

void CurlTransfer::append(List& list, const std::string& text) {
  curl_slist* const grown = curl_slist_append(list.get(), text.c_str());
  WARD_ASSERT(grown != nullptr);
  static_cast<void>(list.release());
  list.reset(grown);
}

void CurlTransfer::set_method() {
  CURL* const easy = easy_.get();
  if (request_.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request_.method != "GET" || !request_.body.empty()) {
    if (!request_.body.empty() || request_.method == "POST" || request_.method == "PUT") {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  append(headers_, "Expect:");        // no second of waiting for "100 Continue"
  append(headers_, "Content-Type:");  // libcurl would call every body a form
  for (const auto& [name, value] : request_.headers) append(headers_, value.empty() ? name + ";" : name + ": " + value);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
}

void CurlTransfer::set_route(const net::Addresses& addresses) {
  if (!request_.pin_address.empty()) {
    append(connect_to_, bracketed(url_.host) + ":" + std::to_string(url_.port) + ":" + bracketed(request_.pin_address) +
                            ":" + std::to_string(url_.port));
    curl_easy_setopt(easy_.get(), CURLOPT_CONNECT_TO, connect_to_.get());
  } else if (!addresses.empty()) {
    std::string entry = "+" + url_.host + ":" + std::to_string(url_.port) + ":";
    for (const auto& address : addresses) entry += (entry.back() == ':' ? "" : ",") + bracketed(address.to_string());
    append(resolve_, entry);
    curl_easy_setopt(easy_.get(), CURLOPT_RESOLVE, resolve_.get());
  }
}

void CurlTransfer::set_tls() {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &CurlTransfer::on_ssl);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  if (!request_.tls.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, request_.tls.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (!request_.tls.certificate.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSLCERT, request_.tls.certificate.c_str());
    curl_easy_setopt(easy, CURLOPT_SSLKEY, request_.tls.key.c_str());
    curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");  // an encrypted key must not ask at the terminal
  }
}

CURLcode CurlTransfer::on_ssl(CURL*, void* ssl_context, void* self) {
  // Only a handshake verifies, and a handshake runs within its transfer: the record outlives its use.
  SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(ssl_context), &net::record_chain,
                                   &static_cast<CurlTransfer*>(self)->response_.tls.chain);
  return CURLE_OK;
}

std::size_t CurlTransfer::on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  auto& response = transfer.response_;
  transfer.header_bytes_ += size;
  transfer.header_overflow_ = transfer.header_bytes_ > kMaxHeaderBytes;
  if (transfer.header_overflow_) return 0;
  const std::string_view line = trim(std::string_view(data, size));
  if (line.starts_with("HTTP/")) {
    response.headers.clear();  // those of a "100 Continue" or a proxy
    curl_tlssessioninfo* session = nullptr;
    curl_easy_getinfo(transfer.handle(), CURLINFO_TLS_SSL_PTR, &session);
    if (session != nullptr && session->backend == CURLSSLBACKEND_OPENSSL && session->internals != nullptr) {
      const auto* const ssl = static_cast<const SSL*>(session->internals);
      response.tls.version = SSL_get_version(ssl);
      const char* const cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl));
      response.tls.cipher = cipher != nullptr ? cipher : "";
    }
    return size;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return size;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  response.headers.emplace_back(std::move(name), trim(line.substr(colon + 1)));
  return size;
}

std::size_t CurlTransfer::on_body(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  auto& body = transfer.response_.body;
  const std::size_t room = static_cast<std::size_t>(transfer.request_.max_body_bytes) - body.size();
  body.append(data, std::min(room, size));
  transfer.response_.truncated = size > room;
  return transfer.response_.truncated ? 0 : size;  // 0 ends the transfer; finish() knows why
}

Phases CurlTransfer::phases(std::chrono::nanoseconds resolving) const {
  CURL* const easy = easy_.get();
  const auto lookup = info_time(easy, CURLINFO_NAMELOOKUP_TIME_T);
  const auto connect = info_time(easy, CURLINFO_CONNECT_TIME_T);
  const auto tls = info_time(easy, CURLINFO_APPCONNECT_TIME_T);
  const auto sent = info_time(easy, CURLINFO_PRETRANSFER_TIME_T);
  const auto first_byte = info_time(easy, CURLINFO_STARTTRANSFER_TIME_T);
  const auto total = info_time(easy, CURLINFO_TOTAL_TIME_T);
  // libcurl gives times since the start, 0 for steps that were not reached or not needed.
  const auto step = [](auto to, auto from) {
    return to > from && from.count() >= 0 ? to - from : std::chrono::nanoseconds{0};
  };
  Phases phases;
  phases.resolve = resolving;
  phases.connect = connect.count() == 0 ? std::chrono::nanoseconds{0} : step(connect, lookup);
  phases.tls = tls.count() == 0 ? std::chrono::nanoseconds{0} : step(tls, connect);
  phases.processing = first_byte.count() == 0 ? std::chrono::nanoseconds{0} : step(first_byte, sent);
  phases.transfer = first_byte.count() == 0 ? std::chrono::nanoseconds{0} : step(total, first_byte);
  return phases;
}

tl::expected<Response, Failure> CurlTransfer::finish(CURLcode code, std::chrono::nanoseconds resolving) {
  CURL* const easy = easy_.get();
  if (code == CURLE_WRITE_ERROR && response_.truncated) code = CURLE_OK;
  if (code != CURLE_OK) {
    auto failure = failure_of(code, easy, url_, response_.tls);
    if (header_overflow_) failure.error.what = url_.host_port() + " sent more than 64 KiB of headers";
    failure.phases = phases(resolving);
    failure.tls = std::move(response_.tls);
    return tl::unexpected(std::move(failure));
  }
  long status = 0, version = 0;
  const char* remote = nullptr;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &remote);
  response_.status = static_cast<int>(status);
  response_.version_major = version == CURL_HTTP_VERSION_2_0 ? 2 : 1;
  response_.version_minor = version == CURL_HTTP_VERSION_1_1 ? 1 : 0;
  response_.remote_address = remote != nullptr ? remote : "";
  response_.final_url = url_.without_query;
  response_.phases = phases(resolving);
  return std::move(response_);
}

}  // namespace ward::http
