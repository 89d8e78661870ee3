#include "common/http/curl_mail.hpp"

#include <algorithm>
#include <cstring>
#include <openssl/ssl.h>

#include "common/base/assert.hpp"
#include "common/http/curl_transfer.hpp"

namespace ward::http {
namespace {

std::string bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

}  // namespace

Url mail_server_of(const Mail& mail) {
  Url url;
  url.scheme = mail.security == Mail::Security::tls ? "smtps" : "smtp";
  url.host = mail.host;
  url.port = mail.port;
  url.without_query = url.scheme + "://" + url.host_port();
  return url;
}

CurlMail::CurlMail(const Mail& mail, const Url& server, const net::Addresses& addresses, std::chrono::milliseconds time_left)
    : mail_(mail), server_(server), easy_(curl_easy_init()) {
  WARD_ASSERT(easy_ != nullptr);
  CURL* const easy = easy_.get();
  // The path is what EHLO says.
  curl_easy_setopt(easy, CURLOPT_URL, (server.without_query + (mail.helo.empty() ? "" : "/" + mail.helo)).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, time_left.count())));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::max<std::int64_t>(1, mail.connect_timeout.count())));
  // Pages are rare, and servers close idle connections.
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  const auto quoted = [](const std::string& address) { return "<" + address + ">"; };
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, quoted(mail.from).c_str());
  for (const auto& to : mail.to) append(recipients_, quoted(to));
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients_.get());
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail.message.size()));
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &CurlMail::on_read);
  curl_easy_setopt(easy, CURLOPT_READDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlMail::on_answer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlMail::on_answer);
  if (!mail.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, mail.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, mail.password.reveal().c_str());
  }
  if (!addresses.empty()) {
    std::string entry = "+" + server.host + ":" + std::to_string(server.port) + ":";
    for (const auto& address : addresses) entry += (entry.back() == ':' ? "" : ",") + bracketed(address.to_string());
    append(resolve_, entry);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve_.get());
  }
  set_security();
}

void CurlMail::set_security() {
  CURL* const easy = easy_.get();
  if (mail_.security == Mail::Security::none) {
    curl_easy_setopt(easy, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_NONE));
    return;
  }
  curl_easy_setopt(easy, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));  // never "try": that is easily stripped
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &CurlMail::on_ssl);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  if (!mail_.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, mail_.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
}

void CurlMail::append(List& list, const std::string& text) {
  curl_slist* const grown = curl_slist_append(list.get(), text.c_str());
  WARD_ASSERT(grown != nullptr);
  static_cast<void>(list.release());
  list.reset(grown);
}

std::size_t CurlMail::on_read(char* to, std::size_t one, std::size_t room, void* self) {
  auto& mail = *static_cast<CurlMail*>(self);
  const auto more = std::min(one * room, mail.mail_.message.size() - mail.sent_);
  std::memcpy(to, mail.mail_.message.data() + mail.sent_, more);
  mail.sent_ += more;
  return more;
}

// What the server says beside its codes is nothing for logs: it may repeat what we sent.
std::size_t CurlMail::on_answer(char*, std::size_t one, std::size_t size, void*) { return one * size; }

CURLcode CurlMail::on_ssl(CURL*, void* ssl_context, void* self) {
  SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(ssl_context), &net::record_chain,
                                   &static_cast<CurlMail*>(self)->tls_.chain);
  return CURLE_OK;
}

tl::expected<Response, Failure> CurlMail::finish(CURLcode code) {
  long said = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &said);
  Response response;
  response.final_url = server_.without_query;
  response.status = 250;
  if (code == CURLE_OK) return response;
  const auto at = server_.host_port();
  if (code == CURLE_USE_SSL_FAILED) {
    Failure failure;
    failure.kind = FailureKind::tls_untrusted;
    failure.error = {Errc::denied, at + " offers no STARTTLS, so nothing was sent",
                     "Switch STARTTLS on at the mail server, or use its TLS port with 'security: tls'."};
    return tl::unexpected(std::move(failure));
  }
  const bool spoke = said >= 400 && said < 600 && code != CURLE_OPERATION_TIMEDOUT && code != CURLE_PEER_FAILED_VERIFICATION;
  if (spoke) {
    response.status = static_cast<int>(said);
    return response;
  }
  if (code == CURLE_LOGIN_DENIED) {  // the server offers no way to log in that we know: as final as a wrong password
    response.status = 535;
    return response;
  }
  auto failure = failure_of(code, easy_.get(), server_, tls_);
  if (failure.kind == FailureKind::protocol)
    failure.error.fix = "Check that the port speaks SMTP, and the log of the mail server.";
  failure.tls = std::move(tls_);
  return tl::unexpected(std::move(failure));
}

}  // namespace ward::http
