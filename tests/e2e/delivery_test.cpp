// Nothing that was measured and spooled is lost or counted twice, whoever dies when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <random>

#include "common/sqlite/database.hpp"
#include "tests/e2e/estate.hpp"
#include "tests/e2e/ledger.hpp"
#include "tests/e2e/page_receiver.hpp"

namespace ward::test {
namespace {

using std::chrono::milliseconds;

/// A dozen runs in 100 ms, one of them large.
std::string fast_targets(std::uint16_t port) {
  std::string out = "  - {probe: node, name: node, interval: 200ms, labels: {service: node}}\n";
  for (int n = 0; n < 8; ++n)
    out += "  - {probe: tcp, name: port-" + std::to_string(n) +
           ", interval: 100ms, address: \"127.0.0.1:" + std::to_string(port) + "\"}\n";
  return out;
}

void merge(std::map<StreamName, SpoolStream>& seen, const std::map<StreamName, SpoolStream>& now) {
  for (const auto& [name, stream] : now) {
    auto& kept = seen[name];
    kept.next = std::max(kept.next, stream.next);
    kept.sampled = std::max(kept.sampled, stream.sampled);
    kept.acknowledged = std::max(kept.acknowledged, stream.acknowledged);
  }
}

TEST(Delivery, SurvivesTwentyKills) {
  constexpr int kKills = 20;
  const PageReceiver receiver;
  Estate estate({Estate::Transport::mutual_tls, receiver.port(), fast_targets(receiver.port()), "", ""});
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << '\n';
  std::mt19937 dice(seed);
  std::uniform_int_distribution<int> moment(50, 2'000);
  estate.collector.start();
  estate.agent.start();
  ASSERT_TRUE(estate.flows()) << estate.logs();

  std::map<StreamName, SpoolStream> seen;
  int agents_killed = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    const bool agent = dice() % 2 == 0;
    auto& victim = agent ? estate.agent : estate.collector;
    ASSERT_TRUE(victim.survives(milliseconds{moment(dice)})) << "it ended by itself\n" << estate.logs();
    victim.kill();
    // Killed within its first moments, an agent may not have made its file yet.
    if (agent && std::filesystem::exists(estate.agent_data() / "spool.db")) merge(seen, read_spool(estate.agent_data()));
    agents_killed += agent ? 1 : 0;
    victim.start();
  }

  ASSERT_TRUE(estate.drained()) << estate.logs();
  // Few records may still be those of an agent killed a moment ago: they count as sent once their stream is gone.
  EXPECT_TRUE(eventually(kPatience, [&] { return read_spool(estate.agent_data()).size() == 1; }))
      << "streams of killed agents are still in the spool\n"
      << estate.logs();
  EXPECT_EQ(estate.agent.terminate(), 0) << estate.logs();
  estate.collector.kill();  // one that stops turns its rows into chunks, which no longer say of which record they were
  const auto last = read_spool(estate.agent_data());
  const auto journal = read_journal(estate.collector_data());
  EXPECT_THAT(audit(journal, seen, last), testing::IsEmpty()) << estate.logs();
  std::int64_t samples = 0;
  for (const auto& [name, stream] : journal) samples += stream.accounted();
  std::cout << agents_killed << " agents and " << kKills - agents_killed << " collectors killed, " << samples
            << " samples in " << journal.size() << " streams\n";
  EXPECT_GT(samples, 1'000);
}

/// The audit has to see what it is for.
TEST(Delivery, AuditSeesEachKindOfDamage) {
  const PageReceiver receiver;
  Estate estate({Estate::Transport::insecure, receiver.port(), fast_targets(receiver.port()), "", ""});
  estate.collector.start();
  estate.agent.start();
  ASSERT_TRUE(estate.flows()) << estate.logs();
  EXPECT_EQ(estate.agent.terminate(), 0) << estate.logs();
  estate.collector.kill();  // one that stops turns its rows into chunks, which no longer say of which record they were
  const auto spool = read_spool(estate.agent_data());
  ASSERT_THAT(audit(read_journal(estate.collector_data()), {}, spool), testing::IsEmpty()) << estate.logs();

  const std::string second = "(SELECT min(position)+1 FROM journal)";
  for (const auto& damage : {
           "DELETE FROM journal WHERE position=" + second,
           "INSERT INTO journal(position,stream,seq,class,t_min,t_max,digest,payload) SELECT "
           "1000000,stream,seq,class,t_min,t_max,digest,payload FROM journal WHERE position=" +
               second,
           "UPDATE journal SET payload=x'00' WHERE position=" + second,
           std::string("DELETE FROM journal WHERE position=(SELECT max(position) FROM journal)"),
           std::string("UPDATE stream SET stored=stored-1"),
           std::string("UPDATE stream SET lost=lost+1"),
           std::string("UPDATE stream SET durable=durable-1"),
       }) {
    const TempDir damaged("damaged");
    std::filesystem::copy(estate.collector_data(), damaged.path(), std::filesystem::copy_options::recursive);
    {
      sqlite::OpenOptions options;
      options.path = (damaged / "journal.db").string();
      auto db = sqlite::Database::open(options);
      ASSERT_TRUE(db && db->run(damage)) << damage;
    }
    EXPECT_THAT(audit(read_journal(damaged.path()), {}, spool), testing::Not(testing::IsEmpty())) << damage;
  }
}

}  // namespace
}  // namespace ward::test
