#include "tests/sim/world.hpp"

#include "common/sqlite/database.hpp"
#include "tests/sim/nodes.hpp"

namespace ward::sim {
namespace {

constexpr std::chrono::milliseconds kStep{50};

}  // namespace

World::World(const Settings& settings) : settings_(settings), random_(settings.seed) {
  for (int i = 0; i < settings_.collectors; ++i) collectors_.push_back(std::make_unique<CollectorNode>(*this, i));
  agent_ = std::make_unique<AgentNode>(*this);
}
World::~World() = default;

void World::run() {
  const auto healed = now_ + settings_.trouble;
  const auto quiet = healed + settings_.healing / 2;
  const auto end = healed + settings_.healing;
  while (now_ < end) {
    if (now_ < healed)
      cause_faults();
    else if (!healing_)
      heal();
    quiet_ = now_ >= quiet;
    step();
  }
  check_end();
}

void World::step() {
  now_ += kStep;
  wall_ += kStep;
  for (auto& collector : collectors_) collector->step();
  agent_->step();
  check_running();
}

void World::cause_faults() {
  const auto& f = settings_.faults;
  const auto later = [&](std::uint64_t max_seconds) {
    return now_ + std::chrono::milliseconds{200 + random_.below(max_seconds * 1000)};
  };
  if (agent_->spool) {
    // Half of the kills wait for a write, so that they fall inside of a transaction.
    if (f.agent_kill && chance(0.02)) agent_->disk.crash_after(1 + random_.below(60));
    if (f.agent_kill && chance(0.02)) {
      agent_->kill();
      agent_->down_until = later(5);
      // In some runs only: damage blurs the counts, and most runs shall check those exactly.
      if (f.agent_damage && settings_.seed % 4 == 0) agent_->damage();
    } else if (f.agent_power && chance(0.015)) {
      agent_->kill();
      agent_->disk.power_loss();
      oracle_.power_lost(now_);
      agent_->down_until = later(5);
    }
  }
  if (f.agent_disk_full && chance(0.01)) agent_->full_until = later(20);
  if (f.agent_sync_error && chance(0.02)) {
    agent_->disk.fail_next_sync();
    oracle_.disk_trouble(now_);
  }
  for (auto& c : collectors_) {
    if (c->journal) {
      if (f.collector_kill && chance(0.02)) c->disk.crash_after(1 + random_.below(60));
      if (f.collector_kill && chance(0.02)) {
        c->kill();
        c->down_until = later(10);
      } else if (f.collector_power && chance(0.015)) {
        c->kill();
        c->disk.power_loss();
        c->down_until = later(10);
      } else if (f.collector_wipe && c->index == 1 && chance(0.004)) {
        c->kill();
        c->disk.wipe();
        c->acked.clear();
        c->highest_durable.clear();
        c->wiped = true;
        c->down_until = later(5);
      }
    }
    if (f.collector_disk_full && chance(0.01)) c->full_until = later(20);
    if (f.collector_sync_error && chance(0.02)) c->disk.fail_next_sync();
    if (f.partition && chance(0.015)) c->from_agent.cut = c->to_agent.cut = true;
    if (f.one_way && chance(0.01)) (random_.below(2) == 0 ? c->from_agent : c->to_agent).cut = true;
    if (chance(0.05)) c->from_agent.cut = c->to_agent.cut = false;
    if (f.reset && chance(0.03)) c->disconnect();
  }
}

void World::heal() {
  healing_ = true;
  agent_->disk.set_full(false);
  agent_->disk.crash_after(0);
  agent_->down_until = now_;
  for (auto& c : collectors_) {
    c->disk.set_full(false);
    c->disk.crash_after(0);
    c->down_until = now_;
    c->from_agent.cut = c->to_agent.cut = false;
  }
}

// D3 and D8, at every step.
void World::check_running() {
  if (!agent_->spool) return;
  for (const auto& stream : agent_->spool->streams()) {
    const auto trimmed = stream.base.get() - 1;
    for (const auto& c : collectors_) {
      if (!c->journal || c->wiped) continue;
      std::uint64_t durable = 0;
      for (const auto& held : c->streams())
        if (held.key.incarnation == stream.incarnation) durable = held.durable.get();
      if (durable < trimmed) oracle_.violation("D3: the spool trimmed what " + collector_name(c->index) + " does not hold");
    }
  }
  if (agent_->disk.size("spool.db") > kSpoolBytes + 4096) oracle_.violation("D8: the spool file is above its cap");
}

// Everything else, when all is healed: read the collectors' tables, not their words.
void World::check_end() {
  if (!agent_->spool) return oracle_.violation("D9: the agent does not come up");
  const auto live = agent_->spool->streams();
  if (agent_->spool->stats().records != 0 || live.size() != 1)
    oracle_.violation("D9: the spool does not drain: " + std::to_string(agent_->spool->stats().records) + " records, " +
                      std::to_string(live.size()) + " streams");
  for (const auto& c : collectors_) {
    if (!c->journal) {
      oracle_.violation("D9: " + collector_name(c->index) + " does not come up");
      continue;
    }
    for (const auto& stream : live)
      for (const auto& held : c->streams())
        if (held.key.incarnation == stream.incarnation && next(held.durable) != stream.next)
          oracle_.violation("D9: " + collector_name(c->index) + " is behind the live stream");
    for (const auto& [inc, made] : oracle_.streams) {
      std::uint64_t durable = 0;
      for (const auto& held : c->streams())
        if (held.key.incarnation == inc) durable = held.durable.get();
      // What drained before a disk was wiped comes back from backup only (facts: reliability 3.4).
      if (durable < made.kept_through && !c->wiped)
        oracle_.violation("D5: " + collector_name(c->index) + " misses the end of a stream");
    }
    const auto streams = c->streams();
    c->journal.reset();
    sqlite::OpenOptions file;
    file.path = "journal.db";
    file.vfs = c->disk.vfs();
    auto db = sqlite::Database::open(file).value();
    for (const auto& stream : streams) check_stream(*c, db, stream);
  }
}

void World::check_stream(const CollectorNode& node, sqlite::Database& db, const collector::StreamState& stream) {
  const auto name = collector_name(node.index);
  const auto made = oracle_.streams.find(stream.key.incarnation);
  if (made == oracle_.streams.end()) return;
  if (!made->second.tainted && stream.mark().accounted != made->second.samples_through(stream.durable.get()))
    oracle_.violation("D6: " + name + " accounts for " + std::to_string(stream.mark().accounted) + " samples of " +
                      std::to_string(made->second.samples_through(stream.durable.get())));
  const auto which = " WHERE stream=" + std::to_string(stream.row.get());
  std::map<std::uint64_t, int> copies;
  auto rows = db.prepare("SELECT seq,payload FROM journal" + which).value();
  wire::RecordCodec codec;
  std::uint64_t stored = 0;
  while (rows.step().value()) {
    const auto seq = static_cast<std::uint64_t>(rows.integer(0));
    ++copies[seq];
    wire::Record record;
    if (!codec.decode(rows.blob(1), record)) oracle_.violation("D1: a stored record does not decode");
    stored += record.samples.size();
    std::uint64_t content = 14695981039346656037ULL;
    for (const auto& sample : record.samples)
      content = (content ^ std::bit_cast<std::uint64_t>(sample.v)) * 1099511628211ULL;
    const auto truth = made->second.records.find(seq);
    if (truth == made->second.records.end() || truth->second.content != content)
      oracle_.violation("D4: " + name + " holds another payload under a number than the agent made");
  }
  if (stored != stream.stored) oracle_.violation("D6: " + name + " stores other samples than its mark says");
  for (const auto& [seq, n] : copies)
    if (n > 1) oracle_.violation("D4: " + name + " holds a record twice");
  auto gaps = db.prepare("SELECT from_seq,to_seq FROM gap" + which).value();
  while (gaps.step().value())
    for (auto seq = gaps.integer(0); seq <= gaps.integer(1); ++seq) ++copies[static_cast<std::uint64_t>(seq)];
  for (std::uint64_t seq = 1; seq <= stream.durable.get(); ++seq)
    if (!copies.contains(seq)) oracle_.violation("D5: " + name + " has a hole without a gap");
}

}  // namespace ward::sim
