#pragma once
#include <string>
#include <vector>

#include "tests/integration/notify/fake_service.hpp"

namespace ward::collector::test {

/// Slack's chat.postMessage and chat.update with one bot token and one channel: errors come with HTTP 200, as there.
class FakeSlack final : public FakeService {
 public:
  struct Posted {
    std::string ts;
    std::string thread_ts;  ///< "" = not in a thread
    std::string text;       ///< as people see it: entities resolved
    std::string body;       ///< likewise, of the attachment
    bool broadcast = false;
    int edits = 0;
  };
  FakeSlack(async::asio::io_context& io, std::string token) : FakeService(io), token_(std::move(token)) {}
  [[nodiscard]] std::string api() const { return url() + "/api"; }
  std::vector<Posted> messages;
  int mentions = 0;  ///< of users and groups: a text that had control sequences

 protected:
  http::ServerResponse take(const http::ServerRequest& request, const nlohmann::json& body) override;

 private:
  http::ServerResponse post(const nlohmann::json& body);
  http::ServerResponse update(const nlohmann::json& body);
  std::string problem(const nlohmann::json& body) const;
  std::string shown(const std::string& text);
  void fill(Posted& posted, const nlohmann::json& body);
  std::string token_;
  int clock_ = 0;
};

}  // namespace ward::collector::test
