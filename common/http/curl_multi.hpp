#pragma once
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>
#include <map>
#include <memory>
#include <optional>

#include "common/async/task.hpp"

namespace ward::http {

/// libcurl's multi handle on an Asio executor: sockets are watched, never owned, and its timer is ours. Held by
/// shared_ptr because waits may end after the client is gone. Thread: the executor's single thread.
class CurlMulti : public std::enable_shared_from_this<CurlMulti> {
 public:
  explicit CurlMulti(async::asio::any_io_executor executor);
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;
  ~CurlMulti();

  /// Runs the transfer to its end; nullopt when the awaiting task was cancelled. The handle is free again either way.
  async::Task<std::optional<CURLcode>> perform(CURL* easy);

 private:
  struct Watch;
  struct Waiting;
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* unused);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);
  void watch(curl_socket_t socket, int what);
  void forget(curl_socket_t socket);
  void arm(const std::shared_ptr<Watch>& watch);
  void act(curl_socket_t socket, int events);
  void hand_back_finished();

  async::asio::any_io_executor executor_;
  async::asio::steady_timer timer_;
  std::map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  CURLM* multi_;
};

}  // namespace ward::http
