// Two collectors' leaderships over one shared state in memory, each with a real state file.
#include "collector/leadership/leadership.hpp"

#include <condition_variable>
#include <filesystem>
#include <gmock/gmock.h>
#include <mutex>

#include "collector/store/sqlite/state_schema.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "common/sqlite/changes.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// What PostgreSQL would hold.
struct Table {
  std::mutex mutex;
  std::condition_variable asked;
  int claims = 0;
  bool reachable = true;
  std::string holder;
  std::int64_t token = 0;
  SharedCopy copy;
  bool damaged = false;
  bool loses_answers = false;       ///< does what it is asked, and says that it cannot be reached
  std::function<void()> on_append;  ///< while an append is under way

  template <class Change>
  void with(Change change) {
    const std::lock_guard lock(mutex);
    change(*this);
  }
  /// Until somebody has claimed twice more: the second claim began after this call.
  void wait_for_claims() {
    std::unique_lock lock(mutex);
    const auto until = claims + 3;
    asked.wait(lock, [&] { return claims >= until; });
  }
};

class FakeSharedState final : public SharedState {
 public:
  FakeSharedState(Table& table, std::string name) : table_(table), name_(std::move(name)) {}
  Result<LeaseAnswer> claim(std::chrono::milliseconds /*ttl*/, bool fresh) override {
    const std::lock_guard lock(table_.mutex);
    ++table_.claims;
    table_.asked.notify_all();
    if (!table_.reachable) return gone();
    if (table_.holder.empty()) {
      table_.holder = name_;
      ++table_.token;
    } else if (table_.holder == name_ && fresh) {
      return LeaseAnswer{false, table_.token, name_, ""};  // its former life's: it waits for the end like everybody
    }
    return LeaseAnswer{table_.holder == name_, table_.token, table_.holder, "http://" + table_.holder};
  }
  Status release(std::int64_t token) override {
    const std::lock_guard lock(table_.mutex);
    if (table_.reachable && table_.token == token) table_.holder.clear();
    return {};
  }
  Status append(std::int64_t token, std::int64_t number, Bytes changes) override {
    const std::lock_guard lock(table_.mutex);
    if (auto may = write(token); !may) return may;
    if (!table_.copy.changes.empty() && number == table_.copy.number) table_.copy.changes.pop_back();
    table_.copy.number = number;
    table_.copy.changes.emplace_back(changes.begin(), changes.end());
    if (table_.on_append) table_.on_append();
    if (table_.loses_answers) return gone();
    return {};
  }
  Status keep(std::int64_t token, std::int64_t number, Bytes image) override {
    const std::lock_guard lock(table_.mutex);
    if (auto may = write(token); !may) return may;
    table_.copy = {{image.begin(), image.end()}, token, number, {}};
    table_.damaged = false;
    return {};
  }
  Result<SharedCopy> fetch() override {
    const std::lock_guard lock(table_.mutex);
    if (!table_.reachable) return gone();
    if (table_.damaged) return fail(Errc::corrupt, "a change is missing", "");
    return table_.copy;
  }

 private:
  static tl::unexpected<Error> gone() { return fail(Errc::unavailable, "it does not answer", ""); }
  Status write(std::int64_t token) {
    if (!table_.reachable) return gone();
    if (token != table_.token) return fail(Errc::denied, "another one has led since", "");
    table_.copy.token = token;
    return {};
  }
  Table& table_;
  std::string name_;
};

/// One process: a leadership and, while it leads, the store.
class Collector {
 public:
  Collector(Table& table, const std::string& folder, std::string name)
      : leadership({.lease = 30ms, .state_file = folder + "/" + name + ".db", .schema = newest_state_schema()}, clock,
                   std::make_unique<FakeSharedState>(table, name), std::make_unique<FakeSharedState>(table, name)),
        file_(folder + "/" + name + ".db") {
    leadership.start();
  }
  Status lead() {
    store.reset();
    auto taken = leadership.take_over();
    sqlite::OpenOptions options;
    options.path = file_;
    store = std::make_unique<SqliteStateStore>(std::move(*SqliteStateStore::open(options)));
    store->follow_with(leadership);
    share();
    return taken;
  }
  void share() {
    if (leadership.wants_image()) (void)leadership.keep(*store->image());
  }
  Status notify(const std::string& incident) {
    StateChange change;
    change.notified.push_back({incident, "dba"});
    return store->commit(change);
  }
  [[nodiscard]] std::vector<std::string> told() const {
    std::vector<std::string> out;
    const auto loaded = store->load(Time{});
    for (const auto& n : loaded->notified) out.push_back(n.incident);
    std::sort(out.begin(), out.end());
    return out;
  }
  [[nodiscard]] bool ahead() const { return std::filesystem::exists(file_ + ".ahead"); }
  [[nodiscard]] Role role() const { return leadership.view().role; }

  test::ManualClock clock;
  Leadership leadership;
  std::unique_ptr<SqliteStateStore> store;

 private:
  std::string file_;
};

class LeadershipTest : public testing::Test {
 protected:
  std::unique_ptr<Collector> begin(const std::string& name) {
    return std::make_unique<Collector>(table_, folder_.path().string(), name);
  }
  Table table_;
  test::TempDir folder_{"leadership"};
};

TEST_F(LeadershipTest, TheFirstLeadsAndTheSecondStandsBy) {
  auto a = begin("a"), b = begin("b");
  EXPECT_EQ(a->role(), Role::leading);
  EXPECT_EQ(b->role(), Role::waiting);
  EXPECT_EQ(b->leadership.view().leader, "a");
  EXPECT_EQ(b->leadership.view().address, "http://a");
}

TEST_F(LeadershipTest, WhoeverTakesOverKnowsWhatTheLastOneStored) {
  auto a = begin("a");
  ASSERT_TRUE(a->lead());
  ASSERT_TRUE(a->notify("one"));
  ASSERT_TRUE(a->notify("two"));
  a.reset();
  auto b = begin("b");
  ASSERT_EQ(b->role(), Role::leading);
  ASSERT_TRUE(b->lead());
  EXPECT_THAT(b->told(), ElementsAre("one", "two"));
  ASSERT_TRUE(b->notify("three"));
  b.reset();
  auto again = begin("a");
  ASSERT_TRUE(again->lead());
  EXPECT_THAT(again->told(), ElementsAre("one", "three", "two"));
}

TEST_F(LeadershipTest, AnOldLeaderStoresNothingMore) {
  auto a = begin("a");
  ASSERT_TRUE(a->lead());
  ASSERT_TRUE(a->notify("one"));
  // Its lease runs out, and another one takes it, before it asks again.
  table_.with([](Table& t) {
    t.holder = "b";
    ++t.token;
  });
  const auto late = a->notify("late");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::denied);
  EXPECT_EQ(a->role(), Role::lost);
  EXPECT_FALSE(a->leadership.may_act());
  EXPECT_THAT(a->told(), ElementsAre("one")) << "not in its own file either";
}

TEST_F(LeadershipTest, WhoeverStandsByStoresNothing) {
  auto a = begin("a"), b = begin("b");
  sqlite::OpenOptions options;
  options.path = folder_ / "b.db";
  b->store = std::make_unique<SqliteStateStore>(std::move(*SqliteStateStore::open(options)));
  b->store->follow_with(b->leadership);
  EXPECT_EQ(b->notify("x").error().code, Errc::denied);
}

TEST_F(LeadershipTest, WithoutTheSharedStateTheLeaderGoesOnAndHandsItAllInLater) {
  auto a = begin("a");
  ASSERT_TRUE(a->lead());
  table_.with([](Table& t) { t.reachable = false; });
  ASSERT_TRUE(a->notify("meanwhile"));
  EXPECT_TRUE(a->ahead());
  EXPECT_FALSE(a->leadership.wants_image()) << "not while it does not answer";
  table_.with([](Table& t) { t.reachable = true; });
  table_.wait_for_claims();
  ASSERT_TRUE(a->leadership.wants_image());
  a->share();
  EXPECT_FALSE(a->ahead());
  ASSERT_TRUE(a->notify("after"));
  a.reset();
  auto b = begin("b");
  ASSERT_TRUE(b->lead());
  EXPECT_THAT(b->told(), ElementsAre("after", "meanwhile"));
}

TEST_F(LeadershipTest, AFileThatIsAheadIsNotReplacedByTheOlderCopy) {
  auto a = begin("a");
  ASSERT_TRUE(a->lead());
  table_.with([](Table& t) { t.reachable = false; });
  ASSERT_TRUE(a->notify("meanwhile"));
  a.reset();  // it ends before it could hand it in, and its lease runs out
  table_.with([](Table& t) {
    t.reachable = true;
    t.holder.clear();
  });
  auto again = begin("a");
  ASSERT_TRUE(again->lead());
  EXPECT_THAT(again->told(), ElementsAre("meanwhile"));
  EXPECT_FALSE(again->ahead()) << "and the copy has it now";
  again.reset();
  auto b = begin("b");
  ASSERT_TRUE(b->lead());
  EXPECT_THAT(b->told(), ElementsAre("meanwhile"));
}

TEST_F(LeadershipTest, AFileThatWasAheadYieldsToALeaderThatCameAfterIt) {
  auto a = begin("a");
  ASSERT_TRUE(a->lead());
  table_.with([](Table& t) { t.reachable = false; });
  ASSERT_TRUE(a->notify("only here"));
  a.reset();
  table_.with([](Table& t) {
    t.reachable = true;
    t.holder.clear();
  });
  auto b = begin("b");
  ASSERT_TRUE(b->lead());
  ASSERT_TRUE(b->notify("newer"));
  b.reset();
  auto again = begin("a");
  ASSERT_TRUE(again->lead());
  EXPECT_THAT(again->told(), ElementsAre("newer"));
}

TEST_F(LeadershipTest, ACopyThatCannotBeReadKeepsNobodyFromLeading) {
  auto a = begin("a");
  ASSERT_TRUE(a->lead());
  ASSERT_TRUE(a->notify("one"));
  a.reset();
  table_.with([](Table& t) { t.damaged = true; });
  auto b = begin("b");
  EXPECT_EQ(b->lead().error().code, Errc::corrupt);
  EXPECT_EQ(b->role(), Role::leading);
  EXPECT_THAT(b->told(), IsEmpty());
  ASSERT_TRUE(b->notify("two"));
  b.reset();
  auto c = begin("c");
  ASSERT_TRUE(c->lead()) << "the new leader's file has taken the place of the copy";
  EXPECT_THAT(c->told(), ElementsAre("two"));
}

TEST_F(LeadershipTest, WithoutTheCopyItWaitsRatherThanBeginFromNothing) {
  auto a = begin("a");
  table_.with([](Table& t) { t.reachable = false; });
  EXPECT_EQ(a->leadership.take_over().error().code, Errc::unavailable);
  EXPECT_EQ(a->role(), Role::waiting);
}

TEST_F(LeadershipTest, WhoeverComesBackDoesNotRenewTheLeaseOfItsFormerLife) {
  auto a = begin("a");
  table_.with([](Table& t) { t.reachable = false; });
  a.reset();  // it ends without a word
  table_.with([](Table& t) { t.reachable = true; });
  EXPECT_EQ(begin("a")->role(), Role::waiting);
}

TEST_F(LeadershipTest, AnAppendWhoseAnswerIsLostIsNotAppliedToALaterImage) {
  auto a = begin("a");
  ASSERT_TRUE(a->lead());
  table_.with([](Table& t) { t.loses_answers = true; });
  ASSERT_TRUE(a->notify("one"));
  EXPECT_TRUE(a->ahead());
  table_.with([](Table& t) { t.loses_answers = false; });
  table_.wait_for_claims();
  a->share();
  ASSERT_FALSE(a->ahead());
  table_.with([](Table& t) { EXPECT_THAT(t.copy.changes, IsEmpty()); });
  ASSERT_TRUE(a->notify("two"));
  a.reset();
  auto b = begin("b");
  ASSERT_TRUE(b->lead());
  EXPECT_THAT(b->told(), ElementsAre("one", "two"));
}

TEST_F(LeadershipTest, AChangeThatTheFileMayOrMayNotHaveBringsTheWholeFile) {
  auto a = begin("a");
  ASSERT_TRUE(a->lead());
  const std::vector<std::uint8_t> some{1, 2, 3};
  ASSERT_TRUE(a->leadership.changing(some));
  // No changed(): the commit failed, or nobody knows. The next attempt changes only what is left.
  ASSERT_TRUE(a->leadership.changing(some));
  EXPECT_TRUE(a->ahead());
  EXPECT_TRUE(a->leadership.wants_image());
}

TEST_F(LeadershipTest, WhoeverWasStoppedWhileItStoredDoesNotTakeThatForAServerThatIsAway) {
  auto a = begin("a");
  ASSERT_TRUE(a->lead());
  table_.with([&](Table& t) {
    t.loses_answers = true;
    t.on_append = [&a, &t] {
      t.reachable = false;  // no claim answers meanwhile
      a->clock.advance(1h);
    };
  });
  EXPECT_EQ(a->notify("one").error().code, Errc::timed_out);
  EXPECT_THAT(a->told(), IsEmpty());
}

TEST_F(LeadershipTest, AStateFileOfALaterWardIsLeftToItAndTheLeaseGivenBack) {
  auto a = begin("a");
  ASSERT_TRUE(a->lead());
  a.reset();
  {
    sqlite::OpenOptions options;
    options.path = folder_ / "later.db";
    auto later = sqlite::Database::open(options);
    ASSERT_TRUE(later->run("PRAGMA user_version=99"));
    table_.with([&](Table& t) { t.copy.image = *sqlite::image_of(*later); });
  }
  auto b = begin("b");
  EXPECT_EQ(b->leadership.take_over().error().code, Errc::invalid);
  EXPECT_EQ(b->role(), Role::waiting);
  table_.with([](Table& t) { EXPECT_EQ(t.holder, ""); });
}

TEST_F(LeadershipTest, AProcessThatDoesNothingElseClaimsNoMore) {
  auto a = begin("a");
  a->clock.advance(Leadership::kAlive + 1s);
  std::this_thread::sleep_for(60ms);  // claims that began before
  int before = 0;
  table_.with([&](Table& t) { before = t.claims; });
  std::this_thread::sleep_for(200ms);
  table_.with([&](Table& t) { EXPECT_EQ(t.claims, before); });
  EXPECT_FALSE(a->leadership.may_act());
  a->leadership.pulse();
  table_.wait_for_claims();
  EXPECT_TRUE(a->leadership.may_act());
}

}  // namespace
}  // namespace ward::collector
