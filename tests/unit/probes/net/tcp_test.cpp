#include "probes/net/tcp.hpp"

#include <re2/re2.h>

#include "tests/unit/probes/net/servers.hpp"

namespace ward::test {
namespace {
using namespace std::chrono_literals;

struct TcpProbe : Servers {
  probes::ProbeOutput probe(probes::TcpOptions options) {
    options.timeout = 150ms;
    const auto made = probes::make_tcp(std::move(options));
    auto output = run(*made);
    expect_described(output, "tcp");
    return output;
  }
  probes::ProbeOutput probe(const net::Endpoint& at, const std::string& send = "", const std::string& expect = "") {
    probes::TcpOptions options;
    options.address = at;
    options.send = send;
    if (!expect.empty()) options.expect = std::make_shared<const RE2>(expect);
    return probe(options);
  }
};

TEST_F(TcpProbe, ConnectingIsEnoughWhenNothingIsExpected) {
  const auto output = probe(scripted({}));
  EXPECT_EQ(reason(output), "");
  EXPECT_EQ(value_of(output.readings, "probe_ip_protocol"), 4);
  EXPECT_EQ(count_of(output.readings, "probe_failed_due_to_regex"), 0U);
}

TEST_F(TcpProbe, HoldsADialogue) {
  const auto at = scripted({{"PING\r\n", "+PO"}, {"", "NG\r\n"}}, Ending::hold);
  const auto output = probe(at, "PING\r\n", "^\\+PONG\r\n");
  EXPECT_EQ(reason(output), "");
  EXPECT_EQ(value_of(output.readings, "probe_failed_due_to_regex"), 0);
}

TEST_F(TcpProbe, SaysWhatWentWrong) {
  EXPECT_EQ(reason(probe(nobody(io))), "connect_refused");
  EXPECT_EQ(reason(probe(scripted({{"", "-ERR\r\n"}}), "", "PONG")), "body_mismatch");
  EXPECT_EQ(reason(probe(scripted({{"", "-ERR\r\n"}}, Ending::hold), "", "PONG")), "timeout");
  EXPECT_EQ(reason(probe(scripted({{"", std::string(5000, 'x')}}, Ending::hold), "", "PONG")), "body_mismatch");
}

TEST_F(TcpProbe, ReportsSomethingEvenWhenItWasCutOff) {
  const auto made = probes::make_tcp({});
  EXPECT_EQ(value_of(made->on_deadline(), "probe_success"), 0);
  EXPECT_EQ(value_of(made->on_deadline(), "probe_failure_info", {{"reason", "timeout"}}), 1);
}

}  // namespace
}  // namespace ward::test
