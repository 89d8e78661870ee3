// What `ward-agent --once` prints.
#include "agent/once.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <sstream>

#include "agent/app.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/support/manual_timers.hpp"
#include "tests/support/processes.hpp"
#include "tests/unit/agent/schedule/scripted_probe.hpp"

namespace ward::agent {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class OnceTest : public testing::Test {
 protected:
  OnceTest() { kind_.name = "fake"; }
  Script& add(const std::string& name) {
    auto script = std::make_shared<Script>();
    Target target;
    target.kind = &kind_;
    target.name = name;
    target.deadline = seconds(5);
    target.labels = Labels{{"instance", name}, {"job", "fake"}};
    target.probe = std::make_unique<ScriptedProbe>(script, timers_);
    targets_.push_back(std::move(target));
    return *scripts_.emplace_back(std::move(script));
  }
  std::string print() {
    std::ostringstream out;
    std::optional<int> failed;
    const auto done = [&](const std::exception_ptr& error, int count) {
      if (!error) failed = count;
    };
    boost::asio::co_spawn(io_, print_all(targets_, host_, timers_, out), done);
    timers_.pass(std::chrono::minutes(1));
    failed_ = failed.value();
    return out.str();
  }

  test::FakeHost host_;
  boost::asio::io_context io_;
  test::ManualTimers timers_{host_.time(), io_};
  probes::ProbeKind kind_;
  std::vector<std::shared_ptr<Script>> scripts_;
  std::vector<Target> targets_;
  int failed_ = -1;
};

TEST_F(OnceTest, PrintsEverySampleOfEveryTargetUnderItsFullNameWithTheDuration) {
  auto& a = add("a");
  a.takes = milliseconds(12);
  a.output.readings = {{"x_up", {}, 1}, {"x_bytes", Labels{{"db", "0"}}, 1234567890123}, {"x_ratio", {}, 0.25}};
  add("b").output.readings = {{"x_up", {}, 0}};
  EXPECT_EQ(print(), R"(# fake a: 3 samples, 12 ms
ward_probe_success{instance="a", job="fake", probe="fake"} 1
ward_probe_duration_seconds{instance="a", job="fake", probe="fake"} 0.012
x_up{instance="a", job="fake"} 1
x_bytes{db="0", instance="a", job="fake"} 1234567890123
x_ratio{instance="a", job="fake"} 0.25
# fake b: 1 samples, 0 ms
ward_probe_success{instance="b", job="fake", probe="fake"} 1
ward_probe_duration_seconds{instance="b", job="fake", probe="fake"} 0
x_up{instance="b", job="fake"} 0
)");
  EXPECT_EQ(failed_, 0);
}

TEST_F(OnceTest, SaysWhyATargetFailedAndWhatToDo) {
  auto& a = add("a");
  a.output.readings = {{"x_up", {}, 0}};
  a.output.failure = {probes::FailureReason::connect_refused,
                      Error{Errc::unavailable, "db:5432 refuses connections", "Start the server."}};
  const auto text = print();
  EXPECT_THAT(text, HasSubstr("# fake a: 1 samples, 0 ms, FAILED (connect_refused)\n"
                              "#   db:5432 refuses connections. Start the server.\n"));
  EXPECT_THAT(text, HasSubstr("x_up{instance=\"a\", job=\"fake\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("reason=\"connect_refused\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("# event probe_failed {instance=\"a\", probe=\"fake\", reason=\"connect_refused\"}\n"));
  EXPECT_EQ(failed_, 1);
}

TEST_F(OnceTest, GoesOnBehindATargetThatHangsOrThrows) {
  auto& hanging = add("hangs");
  hanging.hangs = true;
  hanging.at_deadline = {{"x_up", {}, 0}};
  add("throws").before = [] { throw std::runtime_error("x"); };
  add("good").output.readings = {{"x_up", {}, 1}};
  const auto text = print();
  EXPECT_THAT(text, HasSubstr("# fake hangs: 1 samples, 5000 ms, FAILED (timeout)"));
  EXPECT_THAT(text, HasSubstr("# fake throws: 0 samples, 0 ms, FAILED (internal)"));
  EXPECT_THAT(text, HasSubstr("# fake good: 1 samples, 0 ms\n"));
  EXPECT_EQ(failed_, 2);
}

TEST_F(OnceTest, PrintsTheEventsOfAProbe) {
  auto& a = add("a");
  a.output.events = {{from_ms(1), "worker_killed", Labels{{"pid", "7"}}}};
  EXPECT_THAT(print(), HasSubstr("# event worker_killed {pid=\"7\"}\n"));
}

TEST(MeasureOnce, MeasuresTheTargetsOfAFileAndFailsWhenOneCouldNotBeMeasured) {
  const test::TempDir folder("once");
  const auto path = folder.write("agent.yaml",
                                 "agent: a\ntenant: t\ndata_dir: /nonexistent\ninsecure: true\n"
                                 "collectors: [{address: \"127.0.0.1:1\"}]\n"
                                 "targets: [{probe: tcp, name: shut, address: \"127.0.0.1:" +
                                     std::to_string(test::free_port()) + "\"}]\n");
  std::ostringstream out;
  const auto status = measure_once(path, out);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().what, "1 of the 1 targets could not be measured");
  EXPECT_THAT(out.str(), HasSubstr("# tcp shut: "));
  EXPECT_THAT(out.str(), HasSubstr("FAILED (connect_refused)"));
  EXPECT_THAT(out.str(), HasSubstr("probe_success{instance=\"shut\", job=\"blackbox\"} 0\n"));
}

}  // namespace
}  // namespace ward::agent
