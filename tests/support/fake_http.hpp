#pragma once
#include <deque>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/http/client.hpp"

namespace ward::test {

/// Answers requests from a list: "GET http://odoo:8069/web/health" -> answers in turn, the last one again and again.
/// A request nobody expects throws, so that a test sees it. Keeps what was sent.
class FakeHttp final : public http::Client {
 public:
  using Answer = tl::expected<http::Response, http::Failure>;

  FakeHttp& on(std::string method_and_url, Answer answer) {
    answers_[std::move(method_and_url)].push_back(std::move(answer));
    return *this;
  }
  /// Called for each request before it is answered, e.g. to advance a clock.
  std::function<void()> while_waiting;
  std::vector<http::Request> sent;

  async::Task<Answer> send(http::Request request) override {
    const auto key = request.method + " " + request.url;
    sent.push_back(std::move(request));
    const auto found = answers_.find(key);
    if (found == answers_.end()) throw std::logic_error("unexpected request: " + key);
    if (while_waiting) while_waiting();
    auto& queue = found->second;
    Answer answer = queue.front();
    if (queue.size() > 1) queue.pop_front();
    co_return answer;
  }

  /// How many requests went to `url`.
  [[nodiscard]] std::size_t sent_to(std::string_view url) const {
    std::size_t count = 0;
    for (const auto& request : sent) count += request.url == url ? 1 : 0;
    return count;
  }

 private:
  std::map<std::string, std::deque<Answer>> answers_;
};

inline http::Response response(int status, std::string content_type, std::string body) {
  http::Response made;
  made.status = status;
  made.headers.emplace_back("content-type", std::move(content_type));
  made.body = std::move(body);
  return made;
}
inline http::Response json_response(int status, std::string body) {
  return response(status, "application/json", std::move(body));
}
inline http::Response html_response(int status, std::string body = "<html></html>") {
  return response(status, "text/html; charset=utf-8", std::move(body));
}

enum class Connected : std::uint8_t { no, yes };
inline tl::unexpected<http::Failure> failure(http::FailureKind kind, Connected connected = Connected::no) {
  http::Failure made;
  made.kind = kind;
  made.error = Error{Errc::unavailable, "odoo:8069: " + std::string(http::to_string(kind)), ""};
  if (connected == Connected::yes) made.phases.connect = std::chrono::microseconds{80};
  return tl::unexpected{std::move(made)};
}

}  // namespace ward::test
