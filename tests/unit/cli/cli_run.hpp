#pragma once
#include <deque>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/wardctl.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::cli {

/// Answers in order and remembers what was asked.
class FakeClient final : public http::Client {
 public:
  using Answer = tl::expected<http::Response, http::Failure>;
  FakeClient(std::deque<Answer>& answers, std::vector<http::Request>& asked) : answers_(answers), asked_(asked) {}
  async::Task<Answer> send(http::Request request) override {
    asked_.push_back(std::move(request));
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    co_return answer;
  }

 private:
  std::deque<Answer>& answers_;
  std::vector<http::Request>& asked_;
};

/// One world for a command line: what the collector answers, what the environment holds, what came out.
struct CliRun {
  std::deque<FakeClient::Answer> answers;
  std::vector<http::Request> asked;
  std::map<std::string, std::string> environment;
  test::ManualClock clock{from_ms(1'795'344'127'000)};  // 2026-11-22T10:42:07Z
  std::string out, err;

  int operator()(std::vector<std::string> arguments) {
    std::ostringstream out_stream, err_stream;
    const Outside outside{out_stream, err_stream, clock, [this](const std::string& name) { return environment[name]; },
                          [this](async::asio::any_io_executor) { return std::make_unique<FakeClient>(answers, asked); }};
    const int code = run(std::move(arguments), outside);
    out = out_stream.str();
    err = err_stream.str();
    return code;
  }
  void answer(int status, std::string body) {
    http::Response response;
    response.status = status;
    response.body = std::move(body);
    answers.emplace_back(std::move(response));
  }
  void failure(http::FailureKind kind) {
    http::Failure broken;
    broken.kind = kind;
    broken.error = {Errc::unavailable, "it broke", "Mend it."};
    answers.emplace_back(tl::unexpected(std::move(broken)));
  }
};

}  // namespace ward::cli
