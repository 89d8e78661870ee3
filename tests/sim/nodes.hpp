#pragma once
#include <map>

#include "tests/sim/world.hpp"

namespace ward::sim {

/// A collector's process and disk. The parts inside are the product's own; only the socket and the pool are missing.
class CollectorNode final : public collector::IngestSession::Host {
 public:
  CollectorNode(World& world, int index);

  void start();
  void kill();
  void die_of_crash();
  void step();
  void connect();
  void disconnect();
  [[nodiscard]] std::vector<collector::StreamState> streams() const { return journal->streams().value(); }

  World& world;
  int index;
  Disk disk;
  Pipe to_agent;
  Pipe from_agent;
  bool connected = false;
  MonoTime down_until{};
  MonoTime full_until{};
  std::unique_ptr<collector::SqliteJournal> journal;
  std::map<Incarnation, std::uint64_t> highest_durable;  ///< since the disk was last wiped (D7)
  std::map<Incarnation, std::uint64_t> acked;            ///< what the agent was told (D1)
  bool wiped = false;

 private:
  /// Stands for the head: counts what it was given.
  class CountingSink final : public collector::SampleSink {
   public:
    void define(collector::SeriesId, const Labels&) override {}
    void append(std::span<const wire::IdSample> samples) override { taken += samples.size(); }
    std::uint64_t taken = 0;
  };
  void open_streams(collector::IngestSession& session) override;
  void submit(collector::JournalEntry entry) override { pending_.push_back(std::move(entry)); }
  collector::SeriesId resolve(const TenantId& tenant, const AgentId& agent, const Labels& labels) override {
    return catalogue_->resolve(tenant, agent, labels);
  }
  void duplicate(collector::StreamRow, Sequence, std::uint32_t, const AgentId&) override {}
  void commit();

  CountingSink sink_;
  std::unique_ptr<collector::Catalogue> catalogue_;
  std::unique_ptr<collector::Recorder> recorder_;
  std::unique_ptr<collector::IngestSession> session_;
  bool greeting_ = false;
  std::vector<collector::JournalEntry> pending_;
  MonoTime commit_at_{};
  bool is_full_ = false;
};

/// The agent's process and disk.
class AgentNode {
 public:
  explicit AgentNode(World& world);
  ~AgentNode();

  void start();
  void kill();
  void step();
  void sample();

  World& world;
  Disk disk;
  MonoTime down_until{};
  MonoTime full_until{};
  std::unique_ptr<agent::Spool> spool;
  void damage();

 private:
  struct Link;
  void serve(std::size_t index);
  void drop(std::size_t index);
  void die_of_crash();
  void check_survivors();
  bool damaged_ = false;               ///< the spool's file was changed by nobody's hand
  std::set<Incarnation> held_before_;  ///< streams with records when it was killed
  std::vector<Link> links_;
  MonoTime sample_at_{};
  MonoTime maintain_at_{};
  std::uint64_t value_ = 0;
};

std::string collector_name(int index);
inline constexpr std::uint64_t kSpoolBytes = 256 << 10;

}  // namespace ward::sim
