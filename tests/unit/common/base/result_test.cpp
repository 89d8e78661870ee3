#include "common/base/result.hpp"

#include <gtest/gtest.h>

namespace ward {
namespace {

TEST(Describe, JoinsWhatAndFixIntoSentences) {
  EXPECT_EQ(describe({Errc::invalid, "the port is 99999", "Set it below 65536."}), "the port is 99999. Set it below 65536.");
  EXPECT_EQ(describe({Errc::invalid, "the port is bad!", "Set another."}), "the port is bad! Set another.");
  EXPECT_EQ(describe({Errc::invalid, "It stopped.", "Start it."}), "It stopped. Start it.");
  EXPECT_EQ(describe({Errc::internal, "nobody can act", ""}), "nobody can act");
}

TEST(Errc, NamesAreTheMetricLabels) {
  // A renamed label breaks dashboards and rules that select by it.
  const std::pair<Errc, const char*> table[] = {
      {Errc::invalid, "invalid"},     {Errc::not_found, "not_found"},   {Errc::unavailable, "unavailable"},
      {Errc::timed_out, "timed_out"}, {Errc::overloaded, "overloaded"}, {Errc::denied, "denied"},
      {Errc::cancelled, "cancelled"}, {Errc::corrupt, "corrupt"},       {Errc::full, "full"},
      {Errc::internal, "internal"},
  };
  for (const auto& [code, name] : table) EXPECT_EQ(to_string(code), name);
}

}  // namespace
}  // namespace ward
