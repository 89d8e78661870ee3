#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command/command.hpp"

namespace ward::cli::command {
namespace {

constexpr Time kNow = from_ms(1'795'344'127'000);  // 2026-11-22T10:42:07Z

TEST(ShowQuery, AlignsAVector) {
  EXPECT_EQ(show_query(R"({"status":"success","data":{"resultType":"vector","result":[
              {"metric":{"__name__":"pg_up","instance":"pg-main"},"value":[1795344127,"1"]},
              {"metric":{"__name__":"redis_up"},"value":[1795344127.1,"0.5"]}]},"warnings":["2 series were skipped"]})"),
            "SERIES                     VALUE\n"
            "pg_up{instance=\"pg-main\"}  1\n"
            "redis_up                   0.5\n"
            "Warning: 2 series were skipped\n");
}

TEST(ShowQuery, ShowsTheTimesOfAMatrix) {
  EXPECT_EQ(show_query(R"({"data":{"resultType":"matrix","result":[
              {"metric":{"__name__":"up"},"values":[[1795344127,"1"],[1795344137.5,"0"]]}]}})"),
            "SERIES  TIME                      VALUE\n"
            "up      2026-11-22T10:42:07.000Z  1\n"
            "up      2026-11-22T10:42:17.500Z  0\n");
}

TEST(ShowQuery, ShowsScalarsBareAndSaysWhenNothingMatches) {
  EXPECT_EQ(show_query(R"({"data":{"resultType":"scalar","result":[1795344127,"42"]}})"), "42\n");
  EXPECT_EQ(show_query(R"({"data":{"resultType":"vector","result":[]}})"), "No series match.\n");
}

TEST(ShowQuery, ShowsLabelsThatMoveTheCursorEscaped) {
  EXPECT_EQ(show_query(R"({"data":{"resultType":"vector","result":[
              {"metric":{"__name__":"x","a":"\u001b[2J\r"},"value":[1,"1"]}]}})"),
            "SERIES              VALUE\n"
            "x{a=\"\\u001b[2J\\r\"}  1\n");
}

TEST(ShowAlerts, PutsFiringFirstAndTheOldestOnTop) {
  EXPECT_EQ(show_alerts(R"({"data":{"alerts":[
      {"labels":{"alertname":"Slow","severity":"warning"},"state":"pending","activeAt":"2026-11-22T10:41:52Z","value":"2e+00"},
      {"labels":{"alertname":"PgDown","class":"urgent","owner":"database","tenant":"clinic-a"},"state":"firing",
       "activeAt":"2026-11-22T10:41:07.5Z","value":"0e+00"},
      {"labels":{"alertname":"Disk","class":"actionable","owner":"platform"},"state":"firing",
       "activeAt":"2026-11-22T08:42:07Z","value":"9e-01"}]}})",
                        kNow),
            "STATE    CLASS       OWNER     ALERT   FOR  VALUE  LABELS\n"
            "firing   actionable  platform  Disk    2h   9e-01  {}\n"
            "firing   urgent      database  PgDown  59s  0e+00  {tenant=\"clinic-a\"}\n"
            "pending  warning     -         Slow    15s  2e+00  {}\n");
}

TEST(ShowAlerts, SaysWhenAllIsQuiet) { EXPECT_EQ(show_alerts(R"({"data":{"alerts":[]}})", kNow), "No alerts.\n"); }

TEST(ShowAlerts, RefusesWhatItDoesNotUnderstand) {
  for (const auto* bad :
       {"", "[]", "{}", R"({"data":{"alerts":[1]}})", R"({"data":{"alerts":[{"labels":{"a":1},"state":"x"}]}})",
        R"({"data":{"alerts":[{"labels":{},"state":"x","activeAt":"y","value":1}]}})"})
    EXPECT_FALSE(show_alerts(bad, kNow)) << bad;
}

TEST(ShowStatus, ShowsFieldsAndAgents) {
  EXPECT_EQ(show_status(R"({"version":"0.1.0","leader":true,"store":{"kind":"sqlite","bytes":42},"tenants":["a","b"]})",
                        R"({"agents":[{"agent":"node-1","last_seen":"2026-11-22T10:42:00Z","connected":true},
                                      {"agent":"node-22","connected":false,"gaps":3}]})"),
            "version      0.1.0\n"
            "leader       yes\n"
            "store.kind   sqlite\n"
            "store.bytes  42\n"
            "tenants      a, b\n"
            "\n"
            "AGENT    LAST SEEN             CONNECTED  GAPS\n"
            "node-1   2026-11-22T10:42:00Z  yes        -\n"
            "node-22  -                     no         3\n");
}

TEST(ShowStatus, TakesABareListAndTheEnvelope) {
  EXPECT_EQ(show_status(R"({"status":"success","data":{"version":"1"}})", R"({"status":"success","data":[]})"),
            "version  1\n\nNo agents.\n");
}

TEST(ShowStatus, RefusesWhatItDoesNotUnderstand) {
  for (const auto* bad : {"", "[]", "1", "{"}) EXPECT_FALSE(show_status(bad, "[]")) << bad;
  for (const auto* bad : {"", "1", "[1]", "{\"agents\":{}}"}) EXPECT_FALSE(show_status("{}", bad)) << bad;
}

}  // namespace
}  // namespace ward::cli::command
