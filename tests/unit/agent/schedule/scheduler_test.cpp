#include "agent/schedule/scheduler.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <map>
#include <set>

#include "tests/support/fake_host.hpp"
#include "tests/support/manual_timers.hpp"
#include "tests/unit/agent/schedule/scripted_probe.hpp"

namespace ward::agent {
namespace {

using probes::FailureReason;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Lines final : public telemetry::LogSink {
 public:
  void write(std::string_view line) override { text += line; }
  std::string text;
};

class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest() {
    kind_.name = "fake";
    kind_.job = "fake";
  }
  ~SchedulerTest() override { stop(); }

  Target target(const std::string& name, milliseconds interval = seconds(10), milliseconds deadline = seconds(5)) {
    auto& script = scripts_[name];
    if (!script) {
      script = std::make_shared<Script>();
      script->output.readings = {{"x_up", {}, 1}};
    }
    Target made;
    made.kind = &kind_;
    made.name = name;
    made.tenant = TenantId{"clinic-a"};
    made.interval = interval;
    made.deadline = deadline;
    made.labels = Labels{{"job", "fake"}, {"instance", name}};
    made.probe = std::make_unique<ScriptedProbe>(script, timers_);
    return made;
  }
  template <class... T>
  void start(T... targets) {
    std::vector<Target> all;
    (all.push_back(std::move(targets)), ...);
    Scheduler::Context context{host_,    timers_,  log_,
                               metrics_, "node-1", [this](Batch b) { batches_.push_back(std::move(b)); }};
    context.learnt = [this](std::vector<exposition::Description> descriptions) {
      for (auto& about : descriptions) learnt_.push_back(std::move(about.name));
    };
    scheduler_ = std::make_unique<Scheduler>(io_.get_executor(), std::move(context), std::move(all));
    scheduler_->start();
    timers_.settle();
  }
  template <class... T>
  void replace(T... targets) {
    std::vector<Target> all;
    (all.push_back(std::move(targets)), ...);
    await(scheduler_->replace(std::move(all)));
  }
  void stop() {
    if (!scheduler_) return;
    await(scheduler_->stop());
    scheduler_.reset();
  }
  void await(async::Task<void> task) {
    bool done = false;
    async::asio::co_spawn(io_, std::move(task), [&](const std::exception_ptr& error) { done = !error; });
    timers_.settle();
    ASSERT_TRUE(done) << "it waits for something that never comes";
  }

  Script& script(const std::string& name) { return *scripts_.at(name); }
  /// Values of one metric of one target, in order of the batches.
  [[nodiscard]] std::vector<double> values(std::string_view metric, std::string_view name) const {
    std::vector<double> out;
    for (const auto& batch : batches_)
      for (const auto& [series, value] : batch.values)
        if (series.name() == metric && series.get("instance") == name) out.push_back(value);
    return out;
  }
  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> out;
    for (const auto& batch : batches_)
      for (const auto& event : batch.events) {
        const auto reason = event.attributes.get("reason");
        out.push_back(event.kind + (reason.empty() ? "" : " " + std::string(reason)));
      }
    return out;
  }
  double counted(const std::string& metric) { return metrics_.counter(metric, "", Labels{{"probe", "fake"}}).value(); }

  test::FakeHost host_;
  boost::asio::io_context io_;
  test::ManualTimers timers_{host_.time(), io_};
  Lines lines_;
  telemetry::Logger log_{telemetry::LogSettings{}, host_.clock(), lines_};
  telemetry::Registry metrics_;
  probes::ProbeKind kind_;
  std::map<std::string, std::shared_ptr<Script>> scripts_;
  std::vector<std::string> learnt_;
  std::vector<Batch> batches_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(SchedulerTest, RunsEachTargetOnceAnIntervalFromItsFirstRunOn) {
  start(target("a"));
  timers_.pass(minutes(1));
  const auto& at = script("a").started;
  ASSERT_THAT(at, SizeIs(6));
  for (std::size_t i = 1; i < at.size(); ++i) EXPECT_EQ(at[i] - at[i - 1], seconds(10)) << i;
}

TEST_F(SchedulerTest, RunsFirstWithinOneInterval) {
  const auto begin = host_.clock().mono();
  start(target("a"), target("b"), target("c"));
  timers_.pass(seconds(10));
  for (const auto* name : {"a", "b", "c"}) {
    ASSERT_THAT(script(name).started, SizeIs(testing::Ge(1U))) << name;
    EXPECT_LT(script(name).started.front() - begin, seconds(10)) << name;
  }
}

TEST_F(SchedulerTest, SpreadsTargetsOverTheInterval) {
  std::vector<Target> many;
  for (int i = 0; i < 200; ++i) many.push_back(target("t" + std::to_string(i)));
  const auto begin = host_.clock().mono();
  start();
  replace();
  await(scheduler_->replace(std::move(many)));
  timers_.pass(seconds(10));
  std::array<int, 10> in_second{};
  for (const auto& [name, script] : scripts_)
    ++in_second.at(static_cast<std::size_t>((script->started.at(0) - begin) / seconds(1)));
  EXPECT_GE(*std::min_element(in_second.begin(), in_second.end()), 8) << "200 targets in 10 s are 20 a second";
  EXPECT_LE(*std::max_element(in_second.begin(), in_second.end()), 40);
}

TEST_F(SchedulerTest, KeepsThePhaseOfATargetAcrossARestart) {
  const auto phase = [this] {
    const auto begin = host_.clock().mono();
    script("a").started.clear();
    start(target("a"));
    timers_.pass(seconds(10));
    stop();
    return script("a").started.at(0) - begin;
  };
  (void)target("a");
  const auto first = phase();
  EXPECT_EQ(phase(), first);
}

TEST_F(SchedulerTest, GivesTheTimeOfTheStartOfTheRunToItsSamples) {
  auto slow = target("a");
  script("a").takes = seconds(2);
  start(std::move(slow));
  timers_.pass(seconds(14));
  ASSERT_THAT(batches_, SizeIs(testing::Ge(1U)));
  const auto began = script("a").started.front() - host_.clock().mono();
  EXPECT_EQ(batches_.front().time, host_.clock().wall() + std::chrono::duration_cast<milliseconds>(began));
  EXPECT_THAT(values("ward_probe_duration_seconds", "a").front(), testing::DoubleEq(2));
}

TEST_F(SchedulerTest, CancelsARunAtItsDeadlineAndTellsWhatIsKnownThen) {
  auto hanging = target("a");
  script("a").hangs = true;
  script("a").at_deadline = {{"x_up", {}, 0}};
  start(std::move(hanging));
  timers_.pass(seconds(15));
  EXPECT_THAT(values("x_up", "a"), ElementsAre(0));
  EXPECT_THAT(values("ward_probe_success", "a"), ElementsAre(0));
  EXPECT_THAT(values("ward_probe_duration_seconds", "a"), ElementsAre(5));
  EXPECT_THAT(events(), ElementsAre("probe_failed timeout"));
  EXPECT_EQ(script("a").running, 0) << "the run itself is over";
  EXPECT_THAT(lines_.text, HasSubstr("longer than its deadline of 5000 ms"));
}

TEST_F(SchedulerTest, NeverRunsATargetTwiceAtOnce) {
  auto slow = target("a", seconds(1), seconds(1));
  script("a").takes = milliseconds(2'500);
  slow.deadline = seconds(5);  // as no configuration allows: the slot alone must hold
  start(std::move(slow));
  timers_.pass(minutes(1));
  EXPECT_GE(script("a").started.size(), 15U);
  EXPECT_EQ(script("a").most_at_once, 1);
}

TEST_F(SchedulerTest, CountsTheRunsItLeftOutAndKeepsTheRhythm) {
  auto slow = target("a", seconds(1), seconds(1));
  script("a").takes = milliseconds(2'500);
  slow.deadline = seconds(5);
  start(std::move(slow));
  timers_.pass(seconds(31));
  const auto& at = script("a").started;
  for (std::size_t i = 1; i < at.size(); ++i) EXPECT_EQ(at[i] - at[i - 1], seconds(3)) << i;
  EXPECT_EQ(counted("ward_agent_probe_overruns_total"), 2 * counted("ward_agent_probe_runs_total"));
}

TEST_F(SchedulerTest, CountsNoOverrunOfTargetsThatAreInTime) {
  start(target("a"), target("b"));
  timers_.pass(minutes(5));
  EXPECT_EQ(counted("ward_agent_probe_overruns_total"), 0);
  EXPECT_EQ(counted("ward_agent_probe_runs_total"), 60);
}

TEST_F(SchedulerTest, LetsNoHangingTargetDelayAnother) {
  auto hanging = target("hangs", seconds(10), seconds(10));
  script("hangs").hangs = true;
  start(std::move(hanging), target("a"));
  timers_.pass(minutes(1));
  const auto& at = script("a").started;
  ASSERT_THAT(at, SizeIs(6));
  for (std::size_t i = 1; i < at.size(); ++i) EXPECT_EQ(at[i] - at[i - 1], seconds(10)) << i;
}

TEST_F(SchedulerTest, TakesAnExceptionOfAProbeAsAFailureAndGoesOn) {
  auto throwing = target("a");
  script("a").before = [] { throw std::logic_error("secret text of a row"); };
  start(std::move(throwing));
  timers_.pass(seconds(20));
  EXPECT_THAT(values("ward_probe_success", "a"), ElementsAre(0, 0));
  EXPECT_THAT(values("ward_probe_failure_info", "a"), ElementsAre(1, 1));
  EXPECT_THAT(events(), ElementsAre("probe_failed internal"));
  EXPECT_THAT(lines_.text, HasSubstr("std::logic_error"));
  EXPECT_THAT(lines_.text, testing::Not(HasSubstr("secret text")));
  script("a").before = {};
  timers_.pass(seconds(10));
  EXPECT_THAT(values("x_up", "a"), ElementsAre(1));
}

TEST_F(SchedulerTest, TakesAnAbortedOperationOfAProbeAsAFailureAndGoesOn) {
  auto aborting = target("a");
  script("a").before = [] { throw boost::system::system_error(async::asio::error::operation_aborted); };
  start(std::move(aborting));
  timers_.pass(seconds(30));
  EXPECT_THAT(values("ward_probe_success", "a"), ElementsAre(0, 0, 0)) << "nobody cancelled the target's task";
}

TEST_F(SchedulerTest, SaysWhyInEverySampleAndInAnEventWhenThatChanges) {
  auto failing = target("a");
  script("a").output.failure = failure(FailureReason::connect_refused);
  start(std::move(failing));
  timers_.pass(seconds(30));
  script("a").output.failure = failure(FailureReason::auth);
  timers_.pass(seconds(20));
  script("a").output.failure.reset();
  timers_.pass(seconds(20));
  EXPECT_THAT(values("ward_probe_success", "a"), ElementsAre(0, 0, 0, 0, 0, 1, 1));
  EXPECT_THAT(events(), ElementsAre("probe_failed connect_refused", "probe_failed auth", "probe_recovered"));
  std::map<std::string, int> reasons;
  for (const auto& batch : batches_)
    for (const auto& [series, value] : batch.values)
      if (series.name() == "ward_probe_failure_info" && value == 1) ++reasons[std::string(series.get("reason"))];
  EXPECT_EQ(reasons, (std::map<std::string, int>{{"connect_refused", 3}, {"auth", 2}}));
}

TEST_F(SchedulerTest, LogsAFailureOnceAndItsEndOnce) {
  auto failing = target("a");
  script("a").output.failure = failure(FailureReason::connect_refused, "nobody listens on 127.0.0.1:1");
  start(std::move(failing));
  timers_.pass(minutes(1));
  script("a").output.failure.reset();
  timers_.pass(minutes(1));
  const auto count = [&](std::string_view sentence) {
    int n = 0;
    for (auto at = lines_.text.find(sentence); at != std::string::npos; at = lines_.text.find(sentence, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("nobody listens on"), 1);
  EXPECT_EQ(count("measures its target again"), 1);
  EXPECT_EQ(counted("ward_agent_probe_failures_total"), 6);
}

TEST_F(SchedulerTest, PassesOnWhatAProbeLearntOfItsMetrics) {
  auto a = target("a");
  script("a").output.described = {{"x_total", MetricType::counter, "", "All x."}};
  start(std::move(a));
  timers_.pass(seconds(10));
  EXPECT_THAT(learnt_, ElementsAre("x_total"));
}

TEST_F(SchedulerTest, TellsNothingOfARunThatAStopCutShort) {
  auto hanging = target("a");
  script("a").hangs = true;
  script("a").swallows_cancels = true;
  start(std::move(hanging));
  timers_.pass(seconds(5));
  while (script("a").running == 0) timers_.pass(seconds(1));
  batches_.clear();
  stop();
  EXPECT_THAT(batches_, IsEmpty()) << "x_up 0 would page for a target that is well";
  EXPECT_EQ(script("a").running, 0);
}

TEST_F(SchedulerTest, EndsNoSeriesWhenItStops) {
  start(target("a"));
  timers_.pass(seconds(10));
  batches_.clear();
  stop();
  EXPECT_THAT(batches_, IsEmpty());
  EXPECT_EQ(timers_.waiting(), 0U);
}

TEST_F(SchedulerTest, LeavesAnUnchangedTargetAloneWhenOthersAreReplaced) {
  auto slow = target("a");
  script("a").takes = seconds(4);
  start(std::move(slow), target("b"));
  while (script("a").running == 0) timers_.pass(seconds(1));
  const auto before = script("a").started.size();
  replace(target("a"), target("c"));
  EXPECT_EQ(script("a").running, 1) << "its run goes on";
  timers_.pass(seconds(5));
  EXPECT_EQ(values("x_up", "a").size(), before);
  timers_.pass(seconds(20));
  const auto& at = script("a").started;
  for (std::size_t i = 1; i < at.size(); ++i) EXPECT_EQ(at[i] - at[i - 1], seconds(10)) << i;
}

TEST_F(SchedulerTest, StartsTheNewTargetsOfAReloadAndStopsThoseThatAreGone) {
  start(target("a"), target("b"));
  timers_.pass(seconds(10));
  replace(target("a"), target("c"));
  const auto of_b = script("b").started.size();
  timers_.pass(seconds(20));
  EXPECT_EQ(script("b").started.size(), of_b);
  EXPECT_THAT(script("c").started, SizeIs(2));
  EXPECT_EQ(scheduler_->targets(), 2U);
}

TEST_F(SchedulerTest, EndsTheSeriesOfTargetsThatAReloadTookAway) {
  start(target("a"), target("b"));
  timers_.pass(seconds(10));
  batches_.clear();
  replace(target("a"));
  const auto ended = values("x_up", "b");
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_TRUE(is_stale(ended.front()));
  EXPECT_THAT(values("x_up", "a"), IsEmpty());
}

TEST_F(SchedulerTest, GoesOnWithTheSeriesOfATargetWhoseSectionChanged) {
  auto failing = target("a");
  script("a").output.readings.push_back({"x_lag", {}, 3});
  script("a").output.failure = failure(FailureReason::auth);
  start(std::move(failing));
  timers_.pass(seconds(10));
  batches_.clear();
  script("a").output.readings.pop_back();
  auto changed = target("a");
  changed.fingerprint = 7;  // a password was changed
  replace(std::move(changed));
  EXPECT_THAT(batches_, IsEmpty());
  timers_.pass(seconds(10));
  const auto lag = values("x_lag", "a");
  ASSERT_THAT(lag, SizeIs(1)) << "what vanished over the reload ends too";
  EXPECT_TRUE(is_stale(lag.front()));
  EXPECT_THAT(events(), IsEmpty()) << "it failed before for the same reason";
}

TEST_F(SchedulerTest, ReplacesATargetWhoseIntervalChanged) {
  start(target("a"));
  timers_.pass(seconds(10));
  script("a").started.clear();
  replace(target("a", seconds(2), seconds(1)));
  timers_.pass(seconds(20));
  EXPECT_THAT(script("a").started, SizeIs(10));
}

TEST_F(SchedulerTest, CutsTheRunOfAReplacedTargetShortWithoutAWord) {
  auto hanging = target("a");
  script("a").hangs = true;
  script("a").swallows_cancels = true;
  start(std::move(hanging));
  while (script("a").running == 0) timers_.pass(seconds(1));
  batches_.clear();
  auto changed = target("a");
  changed.fingerprint = 7;
  replace(std::move(changed));
  EXPECT_THAT(values("x_up", "a"), IsEmpty());
  EXPECT_THAT(events(), IsEmpty());
}

}  // namespace
}  // namespace ward::agent
