// Prometheus' own client asks a collector, unchanged.
#include <gmock/gmock.h>

#include "tests/e2e/estate.hpp"

namespace ward::test {
namespace {

using testing::HasSubstr;

struct Promtool : testing::Test {
  Promtool() {
    estate.collector.start();
    EXPECT_TRUE(eventually(kPatience, [this] {
      return http_get(estate.http_port, "/api/v1/query?query=ward_tsdb_series").body.find("\"value\"") != std::string::npos;
    })) << estate.logs();
  }
  std::string ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"promtool", "query"});
    Process::Spec command;
    command.argv = std::move(arguments);
    return run_to_end(std::move(command));
  }
  Estate estate{{Estate::Transport::insecure, 1, "", "", ""}};
  const std::string url = "http://127.0.0.1:" + std::to_string(estate.http_port);
};

TEST_F(Promtool, Queries) {
  EXPECT_THAT(ask({"instant", url, "ward_tsdb_series + 0"}),
              HasSubstr("instance=\"collector\", job=\"ward-collector\"} => "));
  EXPECT_THAT(ask({"instant", "-o", "json", url, "vector(7)"}), HasSubstr("\"7\""));
  EXPECT_THAT(ask({"range", "--start=0", "--end=60", "--step=30s", url, "vector(7)"}), HasSubstr("7 @[30]"));
  EXPECT_THAT(ask({"series", "--match=ward_tsdb_series", url}),
              HasSubstr("__name__=\"ward_tsdb_series\", instance=\"collector\""));
  EXPECT_THAT(ask({"labels", url, "job"}), HasSubstr("ward-collector"));
  EXPECT_ANY_THROW(ask({"instant", url, "sum("}));
}

}  // namespace
}  // namespace ward::test
