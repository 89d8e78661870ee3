#include "tests/e2e/page_receiver.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "common/http/server.hpp"

namespace ward::test {

struct PageReceiver::Inside {
  async::asio::io_context io;
  std::unique_ptr<http::Server> server;
  mutable std::mutex mutex;
  std::vector<Page> pages;
  std::function<int(const Page&)> answer;
  std::thread thread;

  async::Task<http::ServerResponse> take(http::ServerRequest request) {
    http::ServerResponse response;
    const Page page{request.path, request.body, std::string(request.header("idempotency-key")),
                    std::chrono::steady_clock::now()};
    std::function<int(const Page&)> asked;
    {
      const std::scoped_lock lock(mutex);
      pages.push_back(page);
      asked = answer;
    }
    if (asked) response.status = asked(page);
    co_return response;
  }
};

PageReceiver::PageReceiver(std::uint16_t port) : inside_(std::make_unique<Inside>()) {
  auto* inside = inside_.get();
  http::ServerOptions options;
  options.address = "127.0.0.1:" + std::to_string(port);
  inside->server = http::make_server(inside->io.get_executor(), options,
                                     [inside](http::ServerRequest request) { return inside->take(std::move(request)); });
  if (auto started = inside->server->start(); !started) throw std::runtime_error(started.error().what);
  inside->thread = std::thread([inside] { inside->io.run(); });
}

PageReceiver::~PageReceiver() {
  auto* inside = inside_.get();
  async::asio::co_spawn(inside->io, inside->server->stop(), [inside](const std::exception_ptr&) { inside->io.stop(); });
  inside_->thread.join();
}

void PageReceiver::answer_by(std::function<int(const Page&)> answer) {
  const std::scoped_lock lock(inside_->mutex);
  inside_->answer = std::move(answer);
}

std::uint16_t PageReceiver::port() const { return inside_->server->port(); }

std::vector<PageReceiver::Page> PageReceiver::pages() const {
  const std::scoped_lock lock(inside_->mutex);
  return inside_->pages;
}

std::vector<PageReceiver::Page> PageReceiver::pages(const std::string& status) const {
  auto all = pages();
  std::erase_if(all, [&](const Page& page) {
    const auto body = nlohmann::json::parse(page.body, nullptr, false);
    return !body.is_object() || body.value("status", "") != status;
  });
  return all;
}

std::string PageReceiver::text() const {
  std::string out;
  for (const auto& page : pages()) out += page.path + " " + page.body + "\n";
  return out;
}

}  // namespace ward::test
