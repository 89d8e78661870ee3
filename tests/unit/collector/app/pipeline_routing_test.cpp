// What people ask of the pipeline, and what escalations make of time, up to the store and over restarts.
#include "tests/unit/collector/app/pipeline_bed.hpp"

namespace ward::collector {
namespace {

class PipelineRouting : public PipelineTest {
 protected:
  void begin() {
    start(kPgDown);
    arrive("pg_up", 0);
    step();
    EXPECT_THAT(due(), ElementsAre("fire dba"));
    use_steps();
  }
  /// A second level after ten minutes.
  void use_steps() {
    auto table = Life::table();
    table.owners["database"].fallback = "platform";
    table.owners["platform"] = {.receiver = "boss", .fallback = ""};
    table.acknowledge_within = std::chrono::minutes(10);
    life_->router.use(table);
  }
  [[nodiscard]] std::string incident() const { return life_->pipeline->open_incidents().at(0).id; }
  /// The command's answer, with the step in which it is done.
  Result<std::string> ask(Command::Kind kind, std::string subject) {
    Command command;
    command.kind = kind;
    command.actor = "anna";
    command.subject = std::move(subject);
    std::optional<Result<std::string>> out;
    async::asio::co_spawn(life_->io, life_->pipeline->perform(std::move(command)),
                          [&](const std::exception_ptr&, Result<std::string> result) { out = std::move(result); });
    life_->io.restart();
    life_->io.poll();
    EXPECT_FALSE(out) << "answered before it was done";
    step();
    life_->io.restart();
    life_->io.poll();
    return out.value_or(fail(Errc::internal, "no answer", ""));
  }
};

TEST_F(PipelineRouting, TellsTheSecondLevelWhenNobodyAnswersOverARestart) {
  begin();
  step_after(std::chrono::minutes(6));
  restart(kPgDown);
  use_steps();
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), IsEmpty());
  clock_.advance(std::chrono::minutes(4));
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), ElementsAre("escalate boss"));
}

TEST_F(PipelineRouting, LosesNoStepToACrashBetweenItsTimeAndTheCommit) {
  begin();
  clock_.advance(std::chrono::minutes(10));
  store_.full = true;  // K6: the step is due, and nothing of it reaches the store
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), IsEmpty());
  store_.full = false;
  restart(kPgDown);
  use_steps();
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), ElementsAre("escalate boss"));
  restart(kPgDown);
  use_steps();
  step_after(seconds(1));
  EXPECT_THAT(due(), IsEmpty());
}

TEST_F(PipelineRouting, AnswersAnAcknowledgementWhenItIsStoredAndRemembersIt) {
  begin();
  EXPECT_EQ(ask(Command::Kind::acknowledge, incident()).value(), "acknowledged by anna");
  const auto& stored = store_.changes.back();
  ASSERT_THAT(stored.escalations, SizeIs(1));
  EXPECT_EQ(stored.escalations[0].ack->by, "anna");
  ASSERT_THAT(stored.audit, SizeIs(1));
  restart(kPgDown);
  use_steps();
  clock_.advance(hours(1));
  arrive("pg_up", 0);
  step();
  EXPECT_THAT(due(), ElementsAre("acknowledge dba")) << "and no second level";
}

TEST_F(PipelineRouting, SaysThatAnAcknowledgementIsNotStoredYetAndStoresItLater) {
  begin();
  store_.full = true;
  const auto refused = ask(Command::Kind::acknowledge, incident());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_THAT(refused.error().what, HasSubstr("could not be stored yet"));
  store_.full = false;
  step_after(seconds(1));
  EXPECT_EQ(store_.load(clock_.wall())->escalations.at(0).ack->by, "anna");
}

TEST_F(PipelineRouting, RefusesToAcknowledgeWhatIsNotOpen) {
  begin();
  EXPECT_EQ(ask(Command::Kind::acknowledge, "nothing").error().code, Errc::not_found);
}

TEST_F(PipelineRouting, ForgetsAnIncidentsEscalationWithItsEnd) {
  begin();
  EXPECT_THAT(store_.load(clock_.wall())->escalations, SizeIs(1));
  clock_.advance(seconds(30));
  arrive("pg_up", 1);
  step();
  step_after(seconds(1));
  EXPECT_THAT(due(), ElementsAre("resolve dba"));
  EXPECT_THAT(store_.load(clock_.wall() - hours(1))->escalations, IsEmpty());
}

TEST_F(PipelineRouting, ForgetsWhatSomebodyAskedInTheStepOfTheEnd) {
  begin();
  clock_.advance(seconds(30));
  arrive("pg_up", 1);
  EXPECT_TRUE(ask(Command::Kind::acknowledge, incident()));
  EXPECT_THAT(due(), ElementsAre("resolve dba"));
  EXPECT_THAT(store_.load(clock_.wall() - hours(1))->escalations, IsEmpty());
}

TEST_F(PipelineRouting, KeepsAVerdictOverLaterChangesOfItsIncidentUntilThatBeginsAnew) {
  begin();
  const auto id = incident();
  ASSERT_TRUE(ask(Command::Kind::give_verdict, id));
  const auto verdict = [&] { return store_.load(clock_.wall() - hours(1))->incidents.incidents.at(0).incident.verdict; };
  ASSERT_TRUE(verdict());
  EXPECT_EQ(verdict()->by, "anna");
  clock_.advance(seconds(30));
  arrive("pg_up", 1);
  step();
  step_after(seconds(1));
  EXPECT_THAT(due(), ElementsAre("resolve dba"));
  EXPECT_TRUE(verdict()) << "its end is written after the verdict";
  clock_.advance(seconds(30));
  arrive("pg_up", 0);
  step();
  EXPECT_FALSE(verdict()) << "it was not the end";
}

TEST_F(PipelineRouting, TellsWhoAsksThatItStops) {
  begin();
  Command command;
  std::optional<Result<std::string>> out;
  async::asio::co_spawn(life_->io, life_->pipeline->perform(std::move(command)),
                        [&](const std::exception_ptr&, Result<std::string> result) { out = std::move(result); });
  life_->io.restart();
  life_->io.poll();
  async::run(life_->io, life_->pipeline->stop());
  life_->io.restart();
  life_->io.poll();
  ASSERT_TRUE(out);
  EXPECT_EQ(out->error().code, Errc::cancelled);
}

}  // namespace
}  // namespace ward::collector
