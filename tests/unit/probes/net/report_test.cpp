#include "probes/net/report.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"

namespace ward::probes::net {
namespace {

TEST(Report, TheFirstFailureIsTheReason) {
  test::ManualClock clock;
  Report report(clock, std::chrono::seconds{5});
  report.fail(FailureReason::http_status, {});
  report.fail(FailureReason::body_mismatch, {});
  const auto output = report.finish();
  EXPECT_EQ(test::value_of(output.readings, "probe_success"), 0);
  EXPECT_EQ(test::value_of(output.readings, "probe_failure_info", {{"reason", "http_status"}}), 1);
  EXPECT_EQ(test::count_of(output.readings, "probe_failure_info"), 1U);
}

TEST(Report, MeasuresOnTheSteadyClock) {
  test::ManualClock clock;
  Report report(clock, std::chrono::seconds{5});
  clock.advance(std::chrono::milliseconds{250});
  clock.set_wall(Time{});
  EXPECT_EQ(test::value_of(report.finish().readings, "probe_duration_seconds"), 0.25);
}

TEST(Report, HashesTheAddressAsTheExporterDoes) {
  test::ManualClock clock;
  Report report(clock, std::chrono::seconds{5});
  report.address(boost::asio::ip::make_address("127.0.0.1"), std::chrono::milliseconds{2});
  const auto readings = report.finish().readings;
  EXPECT_EQ(test::value_of(readings, "probe_ip_protocol"), 4);
  EXPECT_EQ(test::value_of(readings, "probe_ip_addr_hash"), 3668918509.0);  // FNV-1a of 7f 00 00 01
  EXPECT_EQ(test::value_of(readings, "probe_dns_lookup_time_seconds"), 0.002);
}

TEST(UrlLabel, HidesPathsThatMayNameAPerson) {
  EXPECT_EQ(url_label("https://odoo.example/web/health"), "https://odoo.example/web/health");
  EXPECT_EQ(url_label("https://odoo.example"), "https://odoo.example");
  const std::vector<std::string> paths{"/patient/123456", "/reset/jane@example.org", "/a%20b", "/" + std::string(200, 'x'),
                                       "/o'neil"};
  for (const auto& path : paths)
    EXPECT_EQ(url_label("https://odoo.example:8443" + path), "https://odoo.example:8443/_redacted") << path;
}

}  // namespace
}  // namespace ward::probes::net
