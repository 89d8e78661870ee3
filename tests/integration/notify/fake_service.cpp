#include "tests/integration/notify/fake_service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace ward::collector::test {

using nlohmann::json;

FakeService::FakeService(async::asio::io_context& io) : io_(io) {
  server_ = http::make_server(io.get_executor(), http::ServerOptions{},
                              [this](http::ServerRequest request) { return answer(std::move(request)); });
  if (auto started = server_->start(); !started) throw std::runtime_error(started.error().what);
}

FakeService::~FakeService() {
  bool stopped = false;
  async::asio::co_spawn(io_, server_->stop(), [&](const std::exception_ptr&) { stopped = true; });
  while (!stopped) {
    if (io_.stopped()) io_.restart();
    io_.run_one_for(std::chrono::milliseconds{50});
  }
}

std::string FakeService::url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

async::Task<http::ServerResponse> FakeService::answer(http::ServerRequest request) {
  requests.push_back(std::move(request));
  if (!script.empty()) {
    auto scripted = std::move(script.front());
    script.pop_front();
    co_return scripted;
  }
  auto body = json::parse(requests.back().body, nullptr, false);
  if (body.is_discarded() || !requests.back().header("content-type").starts_with("application/json"))
    co_return json_answer(400, {{"message", "the body is no JSON"}});
  co_return take(requests.back(), body);
}

http::ServerResponse FakeService::take(const http::ServerRequest&, const json&) {
  return json_answer(404, {{"message", "not found"}});
}

http::ServerResponse FakeService::json_answer(int status, const json& body) {
  http::ServerResponse out;
  out.status = status;
  out.body = body.dump();
  return out;
}

http::ServerResponse FakeWebhook::take(const http::ServerRequest&, const json&) { return json_answer(200, json::object()); }

}  // namespace ward::collector::test
