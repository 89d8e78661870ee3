// What stands beside the rules in a rulebook: maps that change under way, decision trees on pages.
#include "collector/event/json.hpp"
#include "tests/unit/collector/app/pipeline_bed.hpp"

namespace ward::collector {
namespace {

class PipelineBookTest : public PipelineTest {
 protected:
  /// A rule with a decision tree that asks for the standby's lag.
  std::shared_ptr<Rulebook> with_tree() {
    auto text = alert("PgDown", "pg_up", "urgent", "pg-main");
    text.insert(text.rfind('}'), ", decision_tree: pg-down");
    auto book = std::make_shared<Rulebook>(*life_->book(group(text)));
    DecisionTree tree{.name = "pg-down", .nodes = {}};
    tree.nodes.push_back({.name = "lag", .check = "min(lag) < 30", .yes = "over", .no = "start"});
    tree.nodes.push_back({.name = "over", .action = "pg.md#fail-over"});
    tree.nodes.push_back({.name = "start", .action = "pg.md#start"});
    book->trees.emplace("pg-down", std::move(tree));
    return book;
  }
  std::vector<Notice> told() {
    std::vector<Notice> out;
    for (const auto& delivery : life_->outbox.due(clock_.mono())) out.push_back(*notice_from_json(delivery.body));
    return out;
  }
};

TEST_F(PipelineBookTest, APageSaysWhatItsDecisionTreeFound) {
  start(group(""));
  life_->pipeline->use_book(with_tree());
  arrive("lag", 4);
  arrive("pg_up", 0);
  step();
  const auto notices = told();
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_THAT(notices.front().first_steps, ElementsAre("Decision tree pg-down: min(lag) < 30: yes -> pg.md#fail-over."));
}

TEST_F(PipelineBookTest, AnAnswerThatIsNotKnownHoldsNoPageBack) {
  start(group(""));
  life_->pipeline->use_book(with_tree());
  arrive("pg_up", 0);
  step();
  const auto notices = told();
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_THAT(notices.front().first_steps,
              ElementsAre("Decision tree pg-down: min(lag) < 30: no data, so look there yourself."));
}

TEST_F(PipelineBookTest, APageSaysHowReadyItsServiceIsToBeRecovered) {
  start(group(""));
  auto book = with_tree();
  book->readiness["pg-main"] = {{"a standby follows", "min(lag) < 30"},
                                {"the backup is young", "max(age) < 60"},
                                {"a restore is proven", "proven == 1"}};
  life_->pipeline->use_book(book);
  arrive("lag", 4);
  arrive("age", 61);
  arrive("pg_up", 0);
  step();
  const auto notices = told();
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices.front().readiness, "1 of 3 hold. Not: the backup is young. No data: a restore is proven");
  EXPECT_THAT(notices.front().first_steps, SizeIs(1));
}

TEST_F(PipelineBookTest, ANewMapCountsForWhatFiresAfterIt) {
  start(group(alert("PgDown", "pg_up", "urgent", "pg-main") + alert("OdooDown", "odoo_up", "urgent", "odoo")));
  auto book = std::make_shared<Rulebook>(
      *life_->book(group(alert("PgDown", "pg_up", "urgent", "pg-main") + alert("OdooDown", "odoo_up", "urgent", "odoo"))));
  book->services = ServiceMap{};
  life_->pipeline->use_book(book);
  arrive("pg_up", 0);
  arrive("odoo_up", 0);
  step();
  EXPECT_THAT(life_->pipeline->open_incidents(), SizeIs(2)) << "no edge joins them any more";
}

}  // namespace
}  // namespace ward::collector
