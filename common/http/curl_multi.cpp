#include "common/http/curl_multi.hpp"

#include <boost/asio/redirect_error.hpp>
#include <chrono>
#include <utility>

#include "common/base/assert.hpp"

namespace ward::http {
namespace asio = boost::asio;
namespace {

/// Idle connections kept for the next request.
constexpr long kKeptConnections = 32;

}  // namespace

struct CurlMulti::Watch {
  Watch(const asio::any_io_executor& executor, curl_socket_t socket_) : descriptor(executor, socket_), socket(socket_) {}
  asio::posix::stream_descriptor descriptor;
  curl_socket_t socket;
  int wanted = CURL_POLL_NONE;
  bool reading = false, writing = false;
  bool gone = false;
};

/// Stands in the frame of perform(); takes the transfer back when the frame goes before the transfer is done.
struct CurlMulti::Waiting {
  Waiting(CURLM* multi_, CURL* easy_, const asio::any_io_executor& executor)
      : multi(multi_), easy(easy_), ready(executor, asio::steady_timer::time_point::max()) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    if (!code) curl_multi_remove_handle(multi, easy);
  }
  CURLM* multi;
  CURL* easy;
  asio::steady_timer ready;
  std::optional<CURLcode> code;
};

CurlMulti::CurlMulti(asio::any_io_executor executor)
    : executor_(std::move(executor)), timer_(executor_), multi_(curl_multi_init()) {
  WARD_ASSERT(multi_ != nullptr);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kKeptConnections);
}

CurlMulti::~CurlMulti() {
  curl_multi_cleanup(multi_);  // closes kept connections, which may call on_socket
  while (!watches_.empty()) forget(watches_.begin()->first);
}

async::Task<std::optional<CURLcode>> CurlMulti::perform(CURL* easy) {
  const auto self = shared_from_this();
  Waiting waiting(multi_, easy, executor_);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &waiting);
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) co_return CURLE_FAILED_INIT;
  boost::system::error_code woken;
  co_await waiting.ready.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  co_return waiting.code;
}

int CurlMulti::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  auto& multi = *static_cast<CurlMulti*>(self);
  if (what == CURL_POLL_REMOVE) {
    multi.forget(socket);
  } else {
    multi.watch(socket, what);
  }
  return 0;
}

int CurlMulti::on_timer(CURLM*, long timeout_ms, void* self) {
  auto& multi = *static_cast<CurlMulti*>(self);
  if (timeout_ms < 0) {
    multi.timer_.cancel();
    return 0;
  }
  multi.timer_.expires_after(std::chrono::milliseconds{timeout_ms});
  multi.timer_.async_wait([weak = multi.weak_from_this()](const boost::system::error_code& error) {
    const auto strong = weak.lock();
    if (!error && strong) strong->act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

void CurlMulti::watch(curl_socket_t socket, int what) {
  auto& watch = watches_[socket];
  if (!watch) watch = std::make_shared<Watch>(executor_, socket);
  watch->wanted = what;
  arm(watch);
}

void CurlMulti::forget(curl_socket_t socket) {
  const auto at = watches_.find(socket);
  if (at == watches_.end()) return;
  at->second->gone = true;
  at->second->descriptor.release();  // the socket is libcurl's to close
  watches_.erase(at);
}

void CurlMulti::arm(const std::shared_ptr<Watch>& watch) {
  using Descriptor = asio::posix::stream_descriptor;
  const auto wait = [&](Descriptor::wait_type type, bool Watch::*pending, int poll, int event) {
    if ((watch->wanted & poll) == 0 || (*watch).*pending) return;
    (*watch).*pending = true;
    watch->descriptor.async_wait(type, [=, weak = weak_from_this(), w = watch](const boost::system::error_code& error) {
      (*w).*pending = false;
      const auto strong = weak.lock();
      if (!strong || w->gone || error == asio::error::operation_aborted) return;
      if ((w->wanted & poll) != 0) strong->act(w->socket, error ? CURL_CSELECT_ERR : event);
      if (!w->gone && !error) strong->arm(w);
    });
  };
  wait(Descriptor::wait_read, &Watch::reading, CURL_POLL_IN, CURL_CSELECT_IN);
  wait(Descriptor::wait_write, &Watch::writing, CURL_POLL_OUT, CURL_CSELECT_OUT);
}

void CurlMulti::act(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, events, &running);
  hand_back_finished();
}

void CurlMulti::hand_back_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;  // the message dies with the removal
    Waiting* waiting = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &waiting);
    curl_multi_remove_handle(multi_, easy);
    waiting->code = code;
    waiting->ready.cancel();
  }
}

}  // namespace ward::http
