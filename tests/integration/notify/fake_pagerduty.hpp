#pragma once
#include <map>
#include <string>

#include "tests/integration/notify/fake_service.hpp"

namespace ward::collector::test {

/// PagerDuty's Events API v2, as strict as its documentation: fields, lengths, keys, statuses.
class FakePagerDuty final : public FakeService {
 public:
  struct Alert {
    std::string status;  ///< triggered, acknowledged, resolved
    std::string severity;
    int triggers = 0;
    int resolves = 0;
  };
  FakePagerDuty(async::asio::io_context& io, std::string routing_key) : FakeService(io), key_(std::move(routing_key)) {}
  std::map<std::string, Alert> alerts;  ///< by dedup_key

 protected:
  http::ServerResponse take(const http::ServerRequest& request, const nlohmann::json& body) override;

 private:
  static std::string problem(const nlohmann::json& event);
  std::string key_;
};

}  // namespace ward::collector::test
