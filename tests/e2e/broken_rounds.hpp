#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "tests/e2e/estate.hpp"
#include "tests/e2e/page_receiver.hpp"

namespace ward::test {

/// For tests without agents: each round a database of its own breaks, as remote write tells, and is mended. A rule looks
/// each second; the page goes to /database.

/// Puts the rule, its runbook and its decision tree in place of the estate's rules.
void use_broken_rules(const Estate& estate, const std::string& acknowledge_within = "0s");
/// How the database of a round is now. True when the collector has taken it.
bool tell_broken(std::uint16_t http_port, int round, bool broken);

/// How often each message of one round came to each receiver, by its path and key.
struct Came {
  std::map<std::string, int> firing;
  std::map<std::string, int> ends;
  [[nodiscard]] static int most(const std::map<std::string, int>& by_key);
};
Came came_in_round(const PageReceiver& receiver, int round);

/// WARD_KILL_ROUNDS, or as usual.
int rounds(int usual);

}  // namespace ward::test
