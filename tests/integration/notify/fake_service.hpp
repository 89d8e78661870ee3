#pragma once
#include <boost/asio/io_context.hpp>
#include <deque>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "common/http/server.hpp"

namespace ward::collector::test {

/// An HTTP service on a free loopback port in the test's own thread. What is scripted is answered first, in turn.
class FakeService {
 public:
  explicit FakeService(async::asio::io_context& io);
  virtual ~FakeService();
  FakeService(const FakeService&) = delete;
  FakeService& operator=(const FakeService&) = delete;

  [[nodiscard]] std::string url() const;
  std::deque<http::ServerResponse> script;
  std::vector<http::ServerRequest> requests;

 protected:
  /// What the service does when nothing is scripted; 404 here.
  virtual http::ServerResponse take(const http::ServerRequest& request, const nlohmann::json& body);
  static http::ServerResponse json_answer(int status, const nlohmann::json& body);

 private:
  async::Task<http::ServerResponse> answer(http::ServerRequest request);
  async::asio::io_context& io_;
  std::unique_ptr<http::Server> server_;
};

/// A webhook that takes everything.
class FakeWebhook final : public FakeService {
 public:
  using FakeService::FakeService;

 protected:
  http::ServerResponse take(const http::ServerRequest& request, const nlohmann::json& body) override;
};

}  // namespace ward::collector::test
