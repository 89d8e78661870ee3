#pragma once
#include <string>
#include <vector>

#include "tests/integration/notify/fake_service.hpp"

namespace ward::collector::test {

/// A Teams workflow that posts a card: its address carries a signature, cards are checked, 28 KB are the limit.
class FakeTeams final : public FakeService {
 public:
  using FakeService::FakeService;
  [[nodiscard]] std::string address() const { return url() + "/workflows/1/triggers/manual/paths/invoke?sig=s3cret"; }
  std::vector<std::string> cards;  ///< the text of each, line by line

 protected:
  http::ServerResponse take(const http::ServerRequest& request, const nlohmann::json& body) override;
};

}  // namespace ward::collector::test
