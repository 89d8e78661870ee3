#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/base/time.hpp"
#include "common/net/refusal.hpp"

namespace ward::collector {

/// Which refused connections are worth a line: a peer that ought to be let in and is not (its certificate, its version),
/// once a minute for each address and reason. Probes of load balancers and scanners are not: they are in the counter only.
/// Thread: its owner's.
class RefusalLog {
 public:
  static constexpr std::chrono::seconds kEvery{60};
  static constexpr std::size_t kAddresses = 1'024;  ///< remembered; the one refused longest ago goes first

  /// How often this was refused before without a line, when it is to be told now; nullopt when it is not.
  std::optional<std::uint64_t> tell(net::Refusal reason, const std::string& remote, MonoTime now);

 private:
  struct Told {
    MonoTime at;
    std::uint64_t left_out = 0;
  };
  std::map<std::pair<std::string, net::Refusal>, Told> told_;
};

}  // namespace ward::collector
