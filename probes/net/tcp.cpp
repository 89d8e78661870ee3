/// A TCP port from outside: can it be reached, and does it answer as expected.
/// Source: one connection; optionally `send` and a regular expression over the first 4 KiB that come back.
/// Emits:  probe_success, probe_duration_seconds, probe_timeout_seconds, probe_dns_lookup_time_seconds (seconds),
///         probe_ip_protocol, probe_ip_addr_hash, probe_failed_due_to_regex, probe_tcp_connect_duration_seconds.
/// Errors: dns_*, connect_*, timeout (nothing expected came), body_mismatch (the peer closed without it), protocol.
#include "probes/net/tcp.hpp"

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <re2/re2.h>

#include "common/async/within.hpp"
#include "probes/net/dial.hpp"
#include "probes/net/report.hpp"

namespace ward::probes {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kMaxAnswer = 4 << 10;
constexpr auto kTcpMetrics = net::joined(
    net::kCommonMetrics,
    std::array{
        MetricMeta{"probe_failed_due_to_regex", MetricType::gauge, "", "1 when the answer did not match"},
        MetricMeta{"probe_tcp_connect_duration_seconds", MetricType::gauge, "seconds", "Length of the TCP handshake"},
    });

enum class Talk { matched, closed, broken };

async::Task<Talk> talk(asio::ip::tcp::socket* socket, std::string send, std::shared_ptr<const RE2> expect) {
  boost::system::error_code error;
  co_await asio::async_write(*socket, asio::buffer(send), asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Talk::broken;
  if (!expect) co_return Talk::matched;
  std::string answer;
  std::array<char, 1024> chunk{};
  while (answer.size() < kMaxAnswer) {
    const auto got = co_await socket->async_read_some(asio::buffer(chunk), asio::redirect_error(asio::use_awaitable, error));
    answer.append(chunk.data(), got);
    if (RE2::PartialMatch(answer, *expect)) co_return Talk::matched;
    if (error) co_return error == asio::error::eof ? Talk::closed : Talk::broken;
  }
  co_return Talk::closed;
}

class TcpProbe final : public Probe {
 public:
  explicit TcpProbe(TcpOptions options) : options_(std::move(options)) {}
  [[nodiscard]] Readings on_deadline() const override { return net::deadline_readings(); }

  async::Task<ProbeOutput> collect(Host& host) override {
    net::Report report(host.clock(), options_.timeout);
    const net::TimeLeft left(host.clock(), options_.timeout);
    auto dialled = co_await net::dial(host, options_.address, left);
    if (!dialled) {
      report.fail(std::move(dialled.error()));
      co_return report.finish();
    }
    report.address(dialled->address, dialled->lookup);
    report.put("probe_tcp_connect_duration_seconds", to_seconds(dialled->connect));
    auto talking = talk(dialled->socket.get(), options_.send, options_.expect);
    const auto heard = co_await async::within(left.get(), std::move(talking));
    judge(heard, report);
    co_return report.finish();
  }

 private:
  void judge(std::optional<Talk> heard, net::Report& report) const {
    if (options_.expect) report.put("probe_failed_due_to_regex", heard == Talk::matched ? 0 : 1);
    if (!heard) return report.fail(net::timed_out(options_.address, "send what 'expect' asks for"));
    switch (*heard) {
      case Talk::matched: return;
      case Talk::broken: return report.fail(net::broken(options_.address, "broke the connection"));
      case Talk::closed:
        return report.fail(
            FailureReason::body_mismatch,
            {Errc::unavailable, ward::net::to_string(options_.address) + " answered without a match for 'expect'",
             "Look at what the service says, or correct the expression."});
    }
  }
  TcpOptions options_;
};

std::unique_ptr<Probe> make_tcp_from(config::Section& target) {
  const auto before = target.problems().list().size();
  TcpOptions options;
  options.address = net::address_of(target);
  options.send = target.text("send", "");
  options.timeout = target.duration("timeout", options.timeout, milliseconds{10});
  if (const auto expect = target.text("expect", ""); !expect.empty()) {
    auto pattern = std::make_shared<const RE2>(expect, RE2::Quiet);
    if (!pattern->ok())
      target.problems().add(target.at("expect"), "'expect' is not a regular expression: " + pattern->error(),
                            "Use RE2 syntax.");
    options.expect = std::move(pattern);
  }
  if (target.problems().list().size() != before) return nullptr;
  return make_tcp(std::move(options));
}

}  // namespace

std::unique_ptr<Probe> make_tcp(TcpOptions options) { return std::make_unique<TcpProbe>(std::move(options)); }

ProbeKind tcp_probe() {
  ProbeKind kind;
  kind.name = "tcp";
  kind.job = "blackbox";
  kind.data_class = DataClass::sli;
  kind.metrics = kTcpMetrics;
  kind.make = make_tcp_from;
  return kind;
}

}  // namespace ward::probes
