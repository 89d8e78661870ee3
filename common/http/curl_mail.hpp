#pragma once
#include <cstddef>
#include <curl/curl.h>
#include <memory>
#include <string>

#include "common/http/client.hpp"
#include "common/http/mail.hpp"
#include "common/http/url.hpp"
#include "common/net/resolve.hpp"
#include "common/net/served_chain.hpp"

namespace ward::http {

/// One mail on one easy handle, a connection of its own. Stays in place while it runs.
class CurlMail {
 public:
  /// `addresses` are those of mail.host.
  CurlMail(const Mail& mail, const Url& server, const net::Addresses& addresses, std::chrono::milliseconds time_left);
  CurlMail(const CurlMail&) = delete;
  CurlMail& operator=(const CurlMail&) = delete;

  [[nodiscard]] CURL* handle() const { return easy_.get(); }
  /// The server's last word as the status (250 taken, 4xx not now, 5xx never), or why there was none.
  tl::expected<Response, Failure> finish(CURLcode code);

 private:
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  using List = std::unique_ptr<curl_slist, FreeList>;
  static std::size_t on_read(char* to, std::size_t one, std::size_t room, void* self);
  static std::size_t on_answer(char* data, std::size_t one, std::size_t size, void* self);
  static CURLcode on_ssl(CURL* easy, void* ssl_context, void* self);
  static void append(List& list, const std::string& text);
  void set_security();

  const Mail& mail_;
  const Url& server_;
  std::size_t sent_ = 0;
  TlsFacts tls_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  List recipients_, resolve_;
};

/// "smtp://host:port" for people; host and port as a request needs them.
Url mail_server_of(const Mail& mail);

}  // namespace ward::http
