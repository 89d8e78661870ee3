// A full disk delays, and says so; it loses nothing that is not counted.
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/e2e/estate.hpp"
#include "tests/e2e/ledger.hpp"
#include "tests/e2e/page_receiver.hpp"

namespace ward::test {
namespace {

using std::chrono::seconds;

/// A small file system of its own at a path.
class SmallDisk {
 public:
  explicit SmallDisk(std::filesystem::path at) : at_(std::move(at)) {
    std::filesystem::create_directories(at_);
    mounted_ = ::mount("ward-e2e", at_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "size=8m,mode=0700") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool mounted() const { return mounted_; }
  void fill() {
    std::ofstream ballast(at_ / "ballast", std::ios::binary | std::ios::app);
    const std::string block(4096, 'x');
    while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())) && ballast.flush()) {}
  }
  void empty() { std::filesystem::remove(at_ / "ballast"); }

 private:
  std::filesystem::path at_;
  bool mounted_ = false;
};

// A run under the address sanitizer takes a sixth of its 300 ms, so that most end in time on a crowded machine too.
const std::string kBusyNode =
    "  - {probe: node, name: node1, interval: 300ms, labels: {service: node}}\n"
    "  - {probe: node, name: node2, interval: 300ms, labels: {service: node}}\n"
    "  - {probe: node, name: node3, interval: 300ms, labels: {service: node}}\n"
    "  - {probe: node, name: node4, interval: 300ms, labels: {service: node}}\n";

// The smallest caps the configurations take; four busy targets reach them in half a minute.
const std::string kSmallSpool = "spool: {max_size: 1MiB}\n";
const std::string kSmallJournal = "ingest: {max_journal_size: 1MiB}\n";
const std::string kLargeJournal = "ingest: {max_journal_size: 1GiB}\n";

class DiskFull : public testing::Test {
 protected:
  explicit DiskFull(const std::string& agent_extra = "", const std::string& collector_extra = "")
      : estate_({Estate::Transport::insecure, receiver_.port(), kBusyNode, agent_extra, collector_extra}) {}

  /// Containers may not mount; the tests of the caps below run everywhere.
  static void say_that_caps_must_do() {
    std::cout << "NOT TESTED: no tmpfs could be mounted here; only the size caps are tested\n";
  }
  void start() {
    estate_.collector.start();
    estate_.agent.start();
  }
  bool names_the_disk() const {
    return eventually(kPatience, [this] {
      const auto answer = http_get(estate_.http_port, "/readyz");
      return answer.status == 503 && answer.body.find("disk is full") != std::string::npos;
    });
  }
  /// Every record is in the journal: no chunk was written yet.
  void stop_and_audit() { stop_and_audit(false); }
  /// Chunks do not say of which record they were: the streams' counts and the samples a query sees have to agree.
  void stop_and_audit_counts() { stop_and_audit(true); }
  void stop_and_audit(bool counts_alone) {
    ASSERT_TRUE(estate_.drained()) << estate_.logs();
    EXPECT_EQ(estate_.agent.terminate(), 0) << estate_.logs();
    const auto seen = samples_seen();
    estate_.collector.kill();  // one that stops turns its rows into chunks
    auto journal = read_journal(estate_.collector_data());
    std::int64_t stored = 0;
    for (auto& [name, stream] : journal) {
      std::cout << stream.stored << " samples stored, " << stream.lost << " lost and counted\n";
      stored += stream.stored;
      if (!counts_alone) continue;
      stream.faults.clear();
      stream.samples_in_payloads = stream.stored;
    }
    EXPECT_THAT(audit(journal, {}, read_spool(estate_.agent_data())), testing::IsEmpty()) << estate_.logs();
    // A series that ends is stored with a stale marker, which a query does not count; each run that takes longer than its
    // interval, and on a crowded machine many do, ends all of its series.
    EXPECT_LE(seen, stored);
    EXPECT_GT(seen, stored / 10);
  }
  nlohmann::json data_of(const std::string& path) const {
    const auto body = nlohmann::json::parse(http_get(estate_.http_port, path).body, nullptr, false);
    return body.is_discarded() || body.value("status", "") != "success" ? nlohmann::json() : body["data"];
  }
  /// Of the agent, metric by metric, by query.
  std::int64_t samples_seen() const {
    std::int64_t sum = 0;
    for (const auto& name : data_of("/api/v1/label/__name__/values")) {
      const auto data = data_of("/api/v1/query?query=sum(count_over_time(" + name.get<std::string>() +
                                "%7Bjob!=%22ward-collector%22,alertname=%22%22%7D%5B1h%5D))");
      if (data.contains("result") && !data["result"].empty())
        sum += std::stoll(data["result"][0]["value"][1].get<std::string>());
    }
    return sum;
  }

  PageReceiver receiver_;
  Estate estate_;
};

TEST_F(DiskFull, CollectorStopsAcknowledgingAndDrainsLater) {
  SmallDisk disk(estate_.collector_data());
  if (!disk.mounted()) return say_that_caps_must_do();
  start();
  ASSERT_TRUE(estate_.flows()) << estate_.logs();
  disk.fill();
  ASSERT_TRUE(names_the_disk()) << http_get(estate_.http_port, "/readyz").body << estate_.logs();
  const auto before = estate_.agent_metric("ward_agent_spool_records").value_or(0);
  // Nothing is acknowledged, so nothing leaves the spool.
  EXPECT_TRUE(eventually(kPatience, [&] {
    return estate_.agent_metric("ward_agent_spool_records").value_or(0) > before + 50;
  })) << estate_.logs();
  EXPECT_EQ(http_get(estate_.http_port, "/readyz").status, 503);
  EXPECT_TRUE(estate_.collector.running());

  disk.empty();
  EXPECT_TRUE(eventually(kPatience, [&] { return http_get(estate_.http_port, "/readyz").status == 200; })) << estate_.logs();
  stop_and_audit();
  for (const auto& [name, stream] : read_journal(estate_.collector_data())) EXPECT_EQ(stream.lost, 0);
}

TEST_F(DiskFull, AgentKeepsMeasuringAndCountsWhatItLoses) {
  SmallDisk disk(estate_.agent_data());
  if (!disk.mounted()) return say_that_caps_must_do();
  start();
  ASSERT_TRUE(estate_.flows()) << estate_.logs();
  disk.fill();
  ASSERT_TRUE(eventually(kPatience, [&] { return http_get(estate_.agent_port, "/healthz").status == 503; }))
      << estate_.logs();
  EXPECT_TRUE(estate_.agent.running());
  EXPECT_TRUE(eventually(kPatience,
                         [&] { return estate_.agent.log().find("The spool's disk takes no data") != std::string::npos; }));

  disk.empty();
  EXPECT_TRUE(eventually(kPatience, [&] { return http_get(estate_.agent_port, "/healthz").status == 200; }))
      << estate_.logs();
  stop_and_audit();
}

/// As DiskFull, with the rules about Ward itself.
struct FullCollector : DiskFull {
  FullCollector() {
    auto text = text_of(estate_.dir / "collector.yaml");
    const std::string pack = "/rules/postgres.yaml";
    text.replace(text.find(pack), pack.size(), "/rules/ward.yaml");
    estate_.dir.write("collector.yaml", text);
  }
};

TEST_F(FullCollector, PagesPlatformAndKeepsItsAgents) {
  SmallDisk disk(estate_.collector_data());
  if (!disk.mounted()) return say_that_caps_must_do();
  start();
  ASSERT_TRUE(estate_.flows()) << estate_.logs();
  disk.fill();
  ASSERT_TRUE(names_the_disk()) << estate_.logs();
  const auto told = [this] {
    const auto pages = receiver_.pages();
    return std::any_of(pages.begin(), pages.end(), [](const auto& page) {
      return page.path == "/platform" && page.body.find("CollectorDiskFull") != std::string::npos;
    });
  };
  EXPECT_TRUE(eventually(kPatience, told)) << http_get(estate_.http_port, "/readyz").body << estate_.logs();
  const auto ready = http_get(estate_.http_port, "/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, testing::HasSubstr("data_dir '" + estate_.collector_data().string() + "'"));
  EXPECT_THAT(ready.body, testing::HasSubstr("no space left on device"));
  EXPECT_THAT(ready.body, testing::HasSubstr("free space"));

  // An agent that comes while the disk is full is welcomed and stays, also with a stream nobody has seen.
  estate_.agent.kill();
  estate_.agent.start();
  EXPECT_TRUE(eventually(kPatience, [&] {
    return estate_.agent_metric("ward_agent_uplink_connected{collector=\"127.0.0.1:" + std::to_string(estate_.stream_port) +
                                "\"}") == 1.0;
  })) << estate_.logs();
  EXPECT_TRUE(estate_.agent.survives(seconds{8}));
  EXPECT_EQ(estate_.collector_metric("ward_ingest_agents_connected"), 1.0) << estate_.logs();

  disk.empty();
  EXPECT_TRUE(eventually(kPatience, [&] { return http_get(estate_.http_port, "/readyz").status == 200; }))
      << http_get(estate_.http_port, "/readyz").body << estate_.logs();
  stop_and_audit();
  for (const auto& [name, stream] : read_journal(estate_.collector_data())) EXPECT_EQ(stream.lost, 0);
}

TEST_F(FullCollector, StartsOnAFullDiskAndPages) {
  SmallDisk disk(estate_.collector_data());
  if (!disk.mounted()) return say_that_caps_must_do();
  start();
  ASSERT_TRUE(estate_.flows()) << estate_.logs();
  disk.fill();
  ASSERT_TRUE(names_the_disk()) << estate_.logs();
  for (int i = 0; i < 3; ++i) {
    estate_.collector.kill();
    estate_.collector.start();
    ASSERT_TRUE(estate_.collector.survives(seconds{2})) << estate_.logs();
    ASSERT_TRUE(names_the_disk()) << http_get(estate_.http_port, "/readyz").body << estate_.logs();
  }
  disk.empty();
  EXPECT_TRUE(eventually(kPatience, [&] { return http_get(estate_.http_port, "/readyz").status == 200; }))
      << http_get(estate_.http_port, "/readyz").body << estate_.logs();
  stop_and_audit();
}

TEST_F(DiskFull, DamagedFilesOfTheCollectorAreSetAsideAndMonitoringGoesOn) {
  start();
  ASSERT_TRUE(estate_.flows()) << estate_.logs();
  for (const std::string name : {"journal.db", "state.db"}) {
    estate_.collector.kill();
    {
      std::fstream file(estate_.collector_data() / name, std::ios::in | std::ios::out | std::ios::binary);
      file << std::string(8'192, '#');
      std::filesystem::remove(estate_.collector_data() / (name + "-wal"));
    }
    estate_.collector.start();
    EXPECT_TRUE(estate_.flows()) << estate_.logs();
    const auto kept = std::filesystem::directory_iterator(estate_.collector_data());
    EXPECT_TRUE(std::any_of(begin(kept), end(kept), [&](const auto& entry) {
      return entry.path().filename().string().starts_with(name + ".damaged-");
    })) << name;
  }
  EXPECT_NE(estate_.collector.log().find("A damaged file was set aside"), std::string::npos);
}

struct SmallJournal : DiskFull {
  SmallJournal() : DiskFull("", kSmallJournal) {}
};

TEST_F(SmallJournal, HoldsTheAgentUntilItMayGrow) {
  start();
  ASSERT_TRUE(names_the_disk()) << estate_.logs();
  EXPECT_TRUE(estate_.collector.running());
  auto text = text_of(estate_.dir / "collector.yaml");
  text.replace(text.find(kSmallJournal), kSmallJournal.size(), kLargeJournal);
  estate_.dir.write("collector.yaml", text);
  EXPECT_EQ(estate_.collector.terminate(), 0) << estate_.logs();
  estate_.collector.start();
  stop_and_audit_counts();
  for (const auto& [name, stream] : read_journal(estate_.collector_data())) EXPECT_EQ(stream.lost, 0);
}

struct SmallSpool : DiskFull {
  SmallSpool() : DiskFull(kSmallSpool) {}
};

TEST_F(SmallSpool, DropsTheOldestAndCountsEverySample) {
  estate_.agent.start();
  const auto dropped = [&] {
    return estate_.agent_metric("ward_agent_dropped_samples_total{reason=\"spool_full\"}").value_or(0) > 0;
  };
  ASSERT_TRUE(eventually(kPatience, dropped)) << http_get(estate_.agent_port, "/metrics").body << estate_.logs();
  EXPECT_TRUE(estate_.agent.running());
  estate_.collector.start();
  stop_and_audit();
  std::int64_t lost = 0;
  for (const auto& [name, stream] : read_journal(estate_.collector_data())) lost += stream.lost;
  EXPECT_GT(lost, 0);
}

}  // namespace
}  // namespace ward::test
