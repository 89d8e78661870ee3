#pragma once
#include <chrono>
#include <cstddef>
#include <curl/curl.h>
#include <memory>
#include <string>

#include "common/http/client.hpp"
#include "common/http/url.hpp"
#include "common/net/resolve.hpp"

namespace ward::http {

/// One request without redirects on one easy handle: options in, response out. Stays in place while it runs.
class CurlTransfer {
 public:
  /// `addresses` are those of url.host; empty = libcurl connects by `pin_address` or through the proxy.
  CurlTransfer(const Request& request, const Url& url, const net::Addresses& addresses, std::chrono::milliseconds time_left);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  [[nodiscard]] CURL* handle() const { return easy_.get(); }
  /// What came back, or why not, once the transfer ended with `code`. `resolving` is the time spent on names before.
  tl::expected<Response, Failure> finish(CURLcode code, std::chrono::nanoseconds resolving);

 private:
  struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  using List = std::unique_ptr<curl_slist, FreeList>;

  static std::size_t on_header(char* data, std::size_t one, std::size_t size, void* self);
  static std::size_t on_body(char* data, std::size_t one, std::size_t size, void* self);
  static CURLcode on_ssl(CURL* easy, void* ssl_context, void* self);
  void set_method();
  void set_route(const net::Addresses& addresses);
  void set_tls();
  static void append(List& list, const std::string& text);
  [[nodiscard]] Phases phases(std::chrono::nanoseconds resolving) const;

  const Request& request_;
  const Url& url_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  List headers_, resolve_, connect_to_;
  Response response_;
  std::size_t header_bytes_ = 0;
  bool header_overflow_ = false;
};

/// curl_failure.cpp: what libcurl's code means for `url`; `tls` tells which certificate problem it was.
Failure failure_of(CURLcode code, CURL* easy, const Url& url, const TlsFacts& tls);
Failure resolve_failure(net::ResolveFailure failure, const std::string& host);
Failure timeout_failure(FailureKind kind, const std::string& what);

}  // namespace ward::http
