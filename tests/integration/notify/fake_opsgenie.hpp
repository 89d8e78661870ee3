#pragma once
#include <map>
#include <string>

#include "tests/integration/notify/fake_service.hpp"

namespace ward::collector::test {

/// Opsgenie's Alert API: authentication, required fields, limits; alerts live under their alias.
class FakeOpsgenie final : public FakeService {
 public:
  struct Alert {
    std::string status;  ///< open, acked, closed
    std::string priority;
    int count = 0;
    int notes = 0;
    int closes = 0;
  };
  FakeOpsgenie(async::asio::io_context& io, std::string key) : FakeService(io), key_(std::move(key)) {}
  std::map<std::string, Alert> alerts;

 protected:
  http::ServerResponse take(const http::ServerRequest& request, const nlohmann::json& body) override;

 private:
  http::ServerResponse create(const nlohmann::json& body);
  http::ServerResponse change(const http::ServerRequest& request, const nlohmann::json& body);
  std::string key_;
};

}  // namespace ward::collector::test
