// Against Debian's Alertmanager itself.
#include <boost/asio/co_spawn.hpp>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/integration/notify/post_office.hpp"
#include "tests/support/processes.hpp"

namespace ward::collector::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

struct AlertmanagerServer : ::testing::Test {
  AlertmanagerServer() {
    // A second that nobody refreshes in: alerts live by their endsAt alone.
    const auto config =
        dir.write("am.yaml", "global: {resolve_timeout: 1s}\nroute: {receiver: nobody}\nreceivers: [{name: nobody}]\n");
    server.emplace(ward::test::Process::Spec{
        .argv = {"prometheus-alertmanager", "--config.file=" + config, "--storage.path=" + (dir / "data").string(),
                 "--web.listen-address=127.0.0.1:" + std::to_string(port), "--cluster.listen-address=", "--log.level=debug"},
        .env = {},
        .user = "",
        .directory = dir.path(),
        .output = dir / "log"});
    if (!office.until([&] { return get("/-/ready").status == 200 || !server->running(); }) || !server->running())
      throw std::runtime_error("Alertmanager did not start (package prometheus-alertmanager):\n" + log());
  }
  http::Response get(const std::string& path) {
    http::Request request;
    request.url = "http://127.0.0.1:" + std::to_string(port) + path;
    request.max_body_bytes = 8 << 20;
    std::optional<http::Response> out;
    async::asio::co_spawn(io, client->send(std::move(request)), [&](const std::exception_ptr& error, auto answer) {
      out = !error && answer ? std::move(*answer) : http::Response{};
    });
    office.until([&] { return out.has_value(); });
    return *out;
  }
  /// The alerts that are active now.
  json active() { return json::parse(get("/api/v2/alerts?active=true").body, nullptr, false); }
  [[nodiscard]] std::string log() const {
    std::ifstream in(dir / "log");
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  [[nodiscard]] std::string receiver(const std::string& more = "") const {
    return "{name: am, alertmanager: {urls: ['http://127.0.0.1:" + std::to_string(port) + "']" + more + "}}";
  }
  /// The sample incident as of now: Alertmanager compares with the clock of the machine.
  static Notice fresh(Notice notice) {
    const auto now = real_clock()->wall();
    notice.incident.opened_at = now - 60s;
    if (notice.incident.resolved_at != Time{}) notice.incident.resolved_at = now - 1s;
    for (auto& alert : notice.incident.alerts) alert.active_at = alert.fired_at = now - 90s;
    return notice;
  }
  ward::test::TempDir dir{"alertmanager"};
  std::uint16_t port = ward::test::free_port();
  std::optional<ward::test::Process> server;
  async::asio::io_context io;
  std::unique_ptr<http::Client> client = http::make_curl_client(io.get_executor());
  PostOffice office{io};
};

TEST_F(AlertmanagerServer, HasTheIncidentsAlertsUntilItsEnd) {
  office.open({receiver(", labels: {site: north}")});
  office.post(fresh(sample_notice()));
  ASSERT_TRUE(office.until_idle());
  ASSERT_TRUE(office.until([&] { return active().size() == 4; })) << active().dump(2) << log();
  for (const auto& alert : active()) {
    EXPECT_EQ(alert["labels"]["ward_incident"], "01M9Z4QGK2M4NB");
    EXPECT_EQ(alert["labels"]["site"], "north");
  }
  office.post(fresh(ended()));
  ASSERT_TRUE(office.until_idle());
  EXPECT_TRUE(office.until([&] { return active().empty(); })) << active().dump(2);
  EXPECT_EQ(office.refusals, std::vector<std::string>{});
}

TEST_F(AlertmanagerServer, TakesLabelsOfEveryKind) {
  auto notice = fresh(hostile_notice());
  notice.incident.alerts[0].labels.set("k8s.pod/name", "x");
  office.open({receiver(", members: root")});
  office.post(notice);
  ASSERT_TRUE(office.until_idle());
  EXPECT_EQ(office.refusals, std::vector<std::string>{}) << log();
  ASSERT_TRUE(office.until([&] { return active().size() == 1; })) << active().dump(2);
  EXPECT_EQ(active()[0]["labels"]["relation"], notice.incident.alerts[0].labels.get("relation"));
}

TEST_F(AlertmanagerServer, IsToldAgainBeforeAnAlertExpires) {
  office.adjust = [](Outbox::Options& options) { options.refresh["am"] = 200ms; };
  office.open({receiver()});
  office.post(fresh(sample_notice()));
  ASSERT_TRUE(office.until([&] { return active().size() == 4; }));
  const auto end = active()[0]["endsAt"].get<std::string>();
  EXPECT_TRUE(office.until([&] { return active()[0]["endsAt"].get<std::string>() > end; }))
      << "the end moves on with each refresh";
  // A restart of Ward goes on repeating, by what is stored.
  office.restart();
  const auto later = active()[0]["endsAt"].get<std::string>();
  EXPECT_TRUE(office.until([&] { return active()[0]["endsAt"].get<std::string>() > later; }));
}

}  // namespace
}  // namespace ward::collector::test
