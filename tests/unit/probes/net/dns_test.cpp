#include "probes/net/dns.hpp"

#include <re2/re2.h>

#include "tests/unit/probes/net/dns_wire.hpp"
#include "tests/unit/probes/net/servers.hpp"

namespace ward::test {
namespace {
using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;

struct DnsProbe : Servers {
  probes::DnsOptions options;
  int asked = 0;
  /// Builds the answer to a query with this id; no bytes = stay silent.
  using Answer = std::function<Bytes(unsigned id)>;

  void serve(Answer answer) {
    auto socket = std::make_shared<udp::socket>(io, udp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    options.server = {"127.0.0.1", socket->local_endpoint().port()};
    tasks.spawn("dns", answer_all(socket, std::move(answer), &asked));
  }
  static async::Task<void> answer_all(std::shared_ptr<udp::socket> socket, Answer answer, int* asked) {
    Bytes query(512);
    while (true) {
      udp::endpoint from;
      co_await socket->async_receive_from(asio::buffer(query), from, asio::use_awaitable);
      ++*asked;
      const auto bytes = answer(static_cast<unsigned>(query[0] << 8 | query[1]));
      if (!bytes.empty()) co_await socket->async_send_to(asio::buffer(bytes), from, asio::use_awaitable);
    }
  }
  static Bytes address(unsigned id, const std::string& bytes) {
    return DnsWriter(id, kAnswerFlags, {1, 1, 0, 0}).question("odoo.example", 1).record(1, bytes).bytes;
  }
  static Bytes rcode(unsigned id, unsigned code) {
    return DnsWriter(id, kAnswerFlags | code, {}).question("odoo.example", 1).bytes;
  }
  probes::ProbeOutput probe() {
    options.query = "odoo.example";
    options.timeout = 100ms;
    const auto made = probes::make_dns(options);
    auto output = run(*made);
    expect_described(output, "dns");
    return output;
  }
};

TEST_F(DnsProbe, ReportsAnAnswer) {
  serve([](unsigned id) { return address(id, std::string("\x0a\0\0\x07", 4)); });
  options.expect = std::make_shared<const RE2>("10\\.0\\.0\\..*");
  const auto output = probe();
  EXPECT_EQ(reason(output), "");
  EXPECT_EQ(value_of(output.readings, "probe_dns_query_succeeded"), 1);
  EXPECT_EQ(value_of(output.readings, "probe_dns_answer_rrs"), 1);
  EXPECT_EQ(count_of(output.readings, "probe_dns_duration_seconds"), 3U);
  EXPECT_EQ(asked, 1);
}

TEST_F(DnsProbe, TellsNxdomainFromSilence) {
  serve([](unsigned id) { return rcode(id, 3); });
  const auto gone = probe();
  EXPECT_EQ(reason(gone), "dns_nxdomain");
  EXPECT_EQ(value_of(gone.readings, "probe_dns_query_succeeded"), 1);
  serve([](unsigned) { return Bytes{}; });
  const auto silent = probe();
  EXPECT_EQ(reason(silent), "dns_timeout");
  EXPECT_EQ(value_of(silent.readings, "probe_dns_query_succeeded"), 0);
}

TEST_F(DnsProbe, TellsTheOtherFailures) {
  serve([](unsigned id) { return rcode(id, 2); });
  EXPECT_EQ(reason(probe()), "dns_failed");
  serve([](unsigned) { return Bytes{1, 2, 3}; });
  EXPECT_EQ(reason(probe()), "protocol");
  serve([](unsigned id) { return address(id, std::string("\x0b\0\0\x07", 4)); });
  options.expect = std::make_shared<const RE2>("10\\..*");
  EXPECT_EQ(reason(probe()), "body_mismatch");
  options.server.port = nobody(io).port;
  EXPECT_EQ(reason(probe()), "connect_refused");
}

TEST_F(DnsProbe, OneLostPacketIsNoOutage) {
  int seen = 0;
  serve([&seen](unsigned id) { return ++seen == 1 ? Bytes{} : rcode(id, 0); });
  EXPECT_EQ(reason(probe()), "");
  EXPECT_EQ(asked, 2);
}

TEST_F(DnsProbe, AnAnswerToAnotherQueryIsNotBelieved) {
  serve([](unsigned id) { return rcode(id ^ 1U, 0); });
  EXPECT_EQ(reason(probe()), "dns_timeout");
}

TEST_F(DnsProbe, ACutAnswerIsFetchedByTcp) {
  auto acceptor = listener(io);
  const auto port = acceptor->local_endpoint().port();
  auto socket = std::make_shared<udp::socket>(io, udp::endpoint(asio::ip::make_address("127.0.0.1"), port));
  options.server = {"127.0.0.1", port};
  const Answer cut = [](unsigned id) { return DnsWriter(id, kAnswerFlags | 0x0200U, {}).question("odoo.example", 1).bytes; };
  auto by_tcp = [](std::shared_ptr<tcp::acceptor> from) -> async::Task<void> {
    tcp::socket stream = co_await from->async_accept(asio::use_awaitable);
    Bytes query(2 + 12 + 18);
    co_await asio::async_read(stream, asio::buffer(query), asio::use_awaitable);
    auto answer = address(static_cast<unsigned>(query[2] << 8 | query[3]), std::string("\x0a\0\0\x07", 4));
    answer.insert(answer.begin(), {0, static_cast<std::uint8_t>(answer.size())});
    co_await asio::async_write(stream, asio::buffer(answer), asio::use_awaitable);
  };
  tasks.spawn("udp", answer_all(socket, cut, &asked));
  tasks.spawn("tcp", by_tcp(acceptor));
  const auto output = probe();
  EXPECT_EQ(reason(output), "");
  EXPECT_EQ(value_of(output.readings, "probe_dns_answer_rrs"), 1);
}

TEST_F(DnsProbe, UsesTheMachinesNameServerWhenNoneIsSet) {
  serve([](unsigned id) { return rcode(id, 0); });
  options.server.host.clear();
  host.set("/etc/resolv.conf", "# local\nsearch example\nnameserver 127.0.0.1\nnameserver 192.0.2.1\n");
  EXPECT_EQ(reason(probe()), "");
  host.set("/etc/resolv.conf", "search example\n");
  EXPECT_EQ(reason(probe()), "not_found");
}

}  // namespace
}  // namespace ward::test
