/// One question to one name server: does it answer, how fast, and with what.
/// Source: a UDP query (RFC 1035), sent twice at most; over TCP when the answer was cut.
/// Emits:  probe_success and the common probe_* series, probe_dns_duration_seconds{phase=resolve|connect|request},
///         probe_dns_query_succeeded, probe_dns_answer_rrs, probe_dns_authority_rrs, probe_dns_additional_rrs,
///         probe_dns_serial (SOA). Names and units as blackbox_exporter.
/// Errors: dns_timeout (no answer), dns_nxdomain, dns_failed (SERVFAIL, REFUSED ...), connect_refused, body_mismatch
///         (no answer matches `expect`), protocol (not a DNS answer), not_found (no server is configured).
#include "probes/net/dns.hpp"

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <re2/re2.h>

#include "common/async/within.hpp"
#include "common/base/parse.hpp"
#include "probes/net/dial.hpp"
#include "probes/net/report.hpp"

namespace ward::probes {
namespace asio = boost::asio;
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr int kAttempts = 2;

constexpr auto kDnsMetrics = net::joined(
    net::kCommonMetrics,
    std::array{
        MetricMeta{"probe_dns_duration_seconds", MetricType::gauge, "seconds", "Length of each phase"},
        MetricMeta{"probe_dns_query_succeeded", MetricType::gauge, "", "1 when the server answered at all"},
        MetricMeta{"probe_dns_answer_rrs", MetricType::gauge, "", "Records in the answer section"},
        MetricMeta{"probe_dns_authority_rrs", MetricType::gauge, "", "Records in the authority section"},
        MetricMeta{"probe_dns_additional_rrs", MetricType::gauge, "", "Records in the additional section"},
        MetricMeta{"probe_dns_serial", MetricType::gauge, "", "Serial number of the zone, when a SOA record came"},
    });

using Bytes = std::vector<std::uint8_t>;
struct Heard {
  boost::system::error_code error;
  dns::Reply reply;
};

bool answers(const dns::Reply& reply, const Bytes& query, const DnsOptions& options) {
  const auto id = static_cast<std::uint16_t>(query[0] << 8 | query[1]);
  return reply.is_response && reply.id == id &&
         (reply.question.empty() || reply.question_type == static_cast<std::uint16_t>(options.type));
}

/// Waits for the answer to this very query; strays (late answers to an older one) are passed over.
async::Task<Heard> ask_udp(asio::ip::udp::socket* socket, Bytes query, DnsOptions options) {
  Heard heard;
  co_await socket->async_send(asio::buffer(query), asio::redirect_error(asio::use_awaitable, heard.error));
  std::array<std::uint8_t, 4096> buffer{};
  while (!heard.error) {
    const auto size =
        co_await socket->async_receive(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, heard.error));
    if (heard.error) break;
    auto reply = dns::parse_reply(std::span(buffer).first(size));
    if (!reply) heard.error = boost::system::errc::make_error_code(boost::system::errc::bad_message);
    if (!reply || !answers(*reply, query, options)) continue;
    heard.reply = std::move(*reply);
    break;
  }
  co_return heard;
}

async::Task<Heard> ask_tcp(asio::ip::tcp::socket* socket, Bytes query, DnsOptions options) {
  Heard heard;
  Bytes framed{static_cast<std::uint8_t>(query.size() >> 8), static_cast<std::uint8_t>(query.size())};
  framed.insert(framed.end(), query.begin(), query.end());
  co_await asio::async_write(*socket, asio::buffer(framed), asio::redirect_error(asio::use_awaitable, heard.error));
  std::array<std::uint8_t, 2> size{};
  if (!heard.error)
    co_await asio::async_read(*socket, asio::buffer(size), asio::redirect_error(asio::use_awaitable, heard.error));
  Bytes bytes(static_cast<std::size_t>(size[0] << 8 | size[1]));
  if (!heard.error)
    co_await asio::async_read(*socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, heard.error));
  if (heard.error) co_return heard;
  auto reply = dns::parse_reply(bytes);
  if (reply && answers(*reply, query, options)) {
    heard.reply = std::move(*reply);
  } else {
    heard.error = boost::system::errc::make_error_code(boost::system::errc::bad_message);
  }
  co_return heard;
}

class DnsProbe final : public Probe {
 public:
  explicit DnsProbe(DnsOptions options) : options_(std::move(options)) {}
  async::Task<ProbeOutput> collect(Host& host) override;
  [[nodiscard]] Readings on_deadline() const override { return net::deadline_readings(); }

 private:
  async::Task<std::optional<Heard>> ask(Host& host, asio::ip::udp::endpoint to, net::TimeLeft left);
  async::Task<std::optional<Heard>> ask_again_by_tcp(Host& host, asio::ip::udp::endpoint to, net::TimeLeft left);
  [[nodiscard]] Bytes query(Host& host) const;
  void judge(const std::optional<Heard>& heard, const std::string& server, net::Report& report) const;
  void judge_reply(const dns::Reply& reply, const std::string& server, net::Report& report) const;
  DnsOptions options_;
};

Bytes DnsProbe::query(Host& host) const {
  return dns::encode_query(static_cast<std::uint16_t>(host.random().next()), options_.query, options_.type)
      .value_or(Bytes(12));
}

async::Task<std::optional<Heard>> DnsProbe::ask(Host& host, asio::ip::udp::endpoint to, net::TimeLeft left) {
  asio::ip::udp::socket socket(co_await asio::this_coro::executor, to.protocol());
  boost::system::error_code error;
  socket.connect(to, error);  // only this server's packets come in, and its "port unreachable" too
  std::optional<Heard> heard;
  for (int attempt = 0; attempt < kAttempts && !heard; ++attempt) {
    const auto limit = std::min(left.get(), options_.timeout / kAttempts);
    auto asking = ask_udp(&socket, query(host), options_);
    heard = co_await async::within(limit, std::move(asking));
  }
  co_return heard;
}

async::Task<std::optional<Heard>> DnsProbe::ask_again_by_tcp(Host& host, asio::ip::udp::endpoint to, net::TimeLeft left) {
  const ward::net::Endpoint at{to.address().to_string(), to.port()};
  auto dialled = co_await net::dial(host, at, left);
  if (!dialled) co_return std::nullopt;
  auto asking = ask_tcp(dialled->socket.get(), query(host), options_);
  co_return co_await async::within(left.get(), std::move(asking));
}

void DnsProbe::judge_reply(const dns::Reply& reply, const std::string& server, net::Report& report) const {
  report.put("probe_dns_answer_rrs", reply.answer_count);
  report.put("probe_dns_authority_rrs", reply.authority_count);
  report.put("probe_dns_additional_rrs", reply.additional_count);
  if (reply.serial) report.put("probe_dns_serial", *reply.serial);
  constexpr int kNxdomain = 3;
  if (reply.rcode == kNxdomain)
    return report.fail(FailureReason::dns_nxdomain, {Errc::not_found, server + " knows no name " + options_.query,
                                                     "Correct 'query', or add the name to the zone."});
  if (reply.rcode != 0)
    return report.fail(FailureReason::dns_failed,
                       {Errc::unavailable, server + " answered with error " + std::to_string(reply.rcode),
                        "Look into the log of the name server."});
  if (!options_.expect) return;
  for (const auto& record : reply.answers)
    if (record.type == static_cast<std::uint16_t>(options_.type) && RE2::FullMatch(record.text, *options_.expect)) return;
  report.fail(FailureReason::body_mismatch, {Errc::unavailable, server + " gave no answer that matches 'expect'",
                                             "Look at the zone, or correct the expression."});
}

void DnsProbe::judge(const std::optional<Heard>& heard, const std::string& server, net::Report& report) const {
  report.put("probe_dns_query_succeeded", heard && !heard->error ? 1 : 0);
  if (!heard)
    return report.fail(FailureReason::dns_timeout, {Errc::timed_out, server + " gave no answer in time",
                                                    "Check that the name server runs and can be reached by UDP."});
  if (!heard->error) return judge_reply(heard->reply, server, report);
  if (heard->error == asio::error::connection_refused)
    return report.fail(FailureReason::connect_refused,
                       {Errc::unavailable, server + " has no name server on this port", "Start it, or correct 'server'."});
  if (heard->error == boost::system::errc::bad_message)
    return report.fail(FailureReason::protocol, {Errc::corrupt, server + " sent what is no DNS answer to the question",
                                                 "Check that the address is that of a name server."});
  report.fail(FailureReason::connect_failed, {Errc::unavailable, "no way to " + server + ": " + heard->error.message(),
                                              "Check the network and the address."});
}

/// The first "nameserver" line of resolv.conf(5).
std::string first_name_server(Host& host) {
  const auto text = host.read_file("/etc/resolv.conf");
  if (!text) return {};
  std::string_view rest = *text, line;
  while (next_line(rest, line))
    if (next_word(line) == "nameserver") return std::string(next_word(line));
  return {};
}

async::Task<ProbeOutput> DnsProbe::collect(Host& host) {
  net::Report report(host.clock(), options_.timeout);
  const net::TimeLeft left(host.clock(), options_.timeout);
  auto server = options_.server;
  if (server.host.empty()) server.host = first_name_server(host);
  if (server.host.empty()) {
    report.fail(FailureReason::not_found, {Errc::not_found, "/etc/resolv.conf names no name server", "Set 'server'."});
    co_return report.finish();
  }
  auto resolved = co_await net::look_up(host, server.host, left);
  if (!resolved) {
    report.fail(std::move(resolved.error()));
    co_return report.finish();
  }
  report.address(resolved->addresses.front(), resolved->took);
  const asio::ip::udp::endpoint to(resolved->addresses.front(), server.port);
  const auto started = host.clock().mono();
  auto heard = co_await ask(host, to, left);
  if (heard && !heard->error && heard->reply.truncated) heard = co_await ask_again_by_tcp(host, to, left);
  report.put("probe_dns_duration_seconds", to_seconds(resolved->took), {{"phase", "resolve"}});
  report.put("probe_dns_duration_seconds", 0, {{"phase", "connect"}});  // UDP has none
  report.put("probe_dns_duration_seconds", to_seconds(host.clock().mono() - started), {{"phase", "request"}});
  judge(heard, ward::net::to_string(server), report);
  co_return report.finish();
}

std::unique_ptr<Probe> make_dns_from(config::Section& target) {
  const auto before = target.problems().list().size();
  auto& problems = target.problems();
  DnsOptions options;
  options.server.port = kDnsPort;
  if (auto server = target.text("server", ""); !server.empty()) {
    if (server.find(':') == std::string::npos) server += ":" + std::to_string(kDnsPort);
    if (auto endpoint = ward::net::parse_endpoint(server)) {
      options.server = std::move(*endpoint);
    } else {
      problems.add(target.at("server"), endpoint.error().what, endpoint.error().fix);
    }
  }
  options.query = target.text("query");
  options.timeout = target.duration("timeout", options.timeout, milliseconds{10});
  const auto type = target.text("type", "A");
  if (const auto known = dns::type_named(type)) {
    options.type = *known;
  } else {
    problems.add(target.at("type"), "'" + type + "' is not a record type",
                 "Use A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT.");
  }
  if (const auto query = dns::encode_query(0, options.query, options.type); !query && !options.query.empty())
    problems.add(target.at("query"), query.error().what, query.error().fix);
  if (const auto expect = target.text("expect", ""); !expect.empty()) {
    auto pattern = std::make_shared<const RE2>(expect, RE2::Quiet);
    if (!pattern->ok())
      problems.add(target.at("expect"), "'expect' is not a regular expression: " + pattern->error(), "Use RE2 syntax.");
    options.expect = std::move(pattern);
  }
  if (problems.list().size() != before) return nullptr;
  return make_dns(std::move(options));
}

}  // namespace

std::unique_ptr<Probe> make_dns(DnsOptions options) { return std::make_unique<DnsProbe>(std::move(options)); }

ProbeKind dns_probe() {
  ProbeKind kind;
  kind.name = "dns";
  kind.job = "blackbox";
  kind.data_class = DataClass::sli;
  kind.metrics = kDnsMetrics;
  kind.make = make_dns_from;
  return kind;
}

}  // namespace ward::probes
