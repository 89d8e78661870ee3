#include <algorithm>
#include <bit>
#include <utility>

#include "agent/uplink/outage.hpp"
#include "tests/sim/nodes.hpp"

namespace ward::sim {
namespace {

/// Watches what the agent is told, for D1.
class WatchedSource final : public wire::RecordSource {
 public:
  WatchedSource(wire::RecordSource& inner, CollectorNode& node) : inner_(inner), node_(node) {}
  std::vector<wire::HelloStream> streams() const override { return inner_.streams(); }
  Result<std::optional<Item>> read(const wire::HelloStream& stream, Sequence from) override {
    return inner_.read(stream, from);
  }
  const Labels& series(std::uint32_t id) const override { return inner_.series(id); }
  Status on_durable(const wire::HelloStream& stream, Sequence durable) override {
    auto& acked = node_.acked[stream.incarnation];
    acked = std::max(acked, durable.get());
    return inner_.on_durable(stream, durable);
  }
  Status reject(const wire::HelloStream& stream, Sequence seq) override { return inner_.reject(stream, seq); }

 private:
  wire::RecordSource& inner_;
  CollectorNode& node_;
};

}  // namespace

struct AgentNode::Link {
  std::unique_ptr<WatchedSource> source;
  std::unique_ptr<wire::AgentSession> session;
  std::vector<wire::HelloStream> named;
  MonoTime retry_at{};
  agent::Outage outage{MonoTime{}};
};

AgentNode::AgentNode(World& w) : world(w), disk("sim-agent", w.settings_.seed * 17 + 5) {
  links_.resize(static_cast<std::size_t>(w.settings_.collectors));
  start();
}
AgentNode::~AgentNode() = default;

void AgentNode::start() {
  disk.bury();
  agent::SpoolOptions options;
  options.path = "spool.db";
  options.vfs = disk.vfs();
  options.max_bytes = kSpoolBytes;
  options.max_unsaved_bytes = 64 << 10;
  options.checkpoint_pages = 16 << (world.settings_.seed % 5);
  for (int i = 0; i < world.settings_.collectors; ++i) options.collectors.push_back(collector_name(i));
  options.tenants = {TenantId{"clinic-a"}};
  auto opened = agent::Spool::open(options, world.random_);
  if (!opened) {
    down_until = world.now_ + std::chrono::seconds{1};
    return;
  }
  spool = std::move(*opened);
  sample_at_ = maintain_at_ = world.now_;
  check_survivors();
}

// D12: kill -9 loses nothing that was appended, power loss at most the last group; a disk that took nothing is excused.
void AgentNode::check_survivors() {
  // D11: a damaged file is read or kept aside; where streams vanish and nothing is kept it was thrown away.
  const auto streams = spool->streams();
  const bool any_known =
      std::any_of(streams.begin(), streams.end(), [&](const auto& s) { return held_before_.contains(s.incarnation); });
  if (std::exchange(damaged_, false) && !held_before_.empty() && !any_known && disk.size("spool.db.damaged") == 0)
    world.oracle_.violation("D11: a damaged spool was thrown away");
  for (const auto& stream : spool->streams()) {
    const auto made = world.oracle_.streams.find(stream.incarnation);
    if (made == world.oracle_.streams.end()) continue;
    auto& truth = made->second;
    truth.kept_through = std::max(truth.kept_through, stream.next.get() - 1);
    const auto lost = truth.records.lower_bound(stream.next.get());
    if (lost == truth.records.end() || truth.tainted) continue;
    if (std::exchange(truth.end_is_known, true)) continue;  // judged at an earlier restart
    if (!world.oracle_.may_lose(lost->second.at))
      world.oracle_.violation("D12: a restart lost records from " + std::to_string(lost->first) + " on, made " +
                              std::to_string(to_seconds(world.now_ - lost->second.at)) + " s ago, without an excuse");
  }
}

void AgentNode::kill() {
  disk.kill_writers();
  held_before_.clear();
  if (spool)
    for (const auto& stream : spool->streams())
      if (stream.base < stream.next) held_before_.insert(stream.incarnation);
  for (std::size_t i = 0; i < links_.size(); ++i) drop(i);
  spool.reset();
}

void AgentNode::drop(std::size_t index) {
  auto& link = links_[index];
  auto& node = *world.collectors_[index];
  link.outage.ended(world.now_);
  link.session.reset();
  link.source.reset();
  link.retry_at = world.now_ + std::chrono::milliseconds{500 + world.random_.below(2000)};
  // Behind a cut the other end does not hear of it.
  if (!node.from_agent.cut) node.disconnect();
}

void AgentNode::sample() {
  Batch batch;
  batch.tenant = TenantId{"clinic-a"};
  batch.time = world.wall_;
  const auto count = 1 + world.random_.below(60);
  batch.data_class = world.random_.below(4) == 0 ? DataClass::page : DataClass::raw;
  std::uint64_t content = 14695981039346656037ULL;
  for (std::uint64_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(++value_) * 1.0001;
    batch.values.push_back({Labels{{"__name__", "m"}, {"i", std::to_string(i)}}, value});
    content = (content ^ std::bit_cast<std::uint64_t>(value)) * 1099511628211ULL;
  }
  spool->append(batch);
  world.oracle_.sampled += count;
  for (const auto& stream : spool->streams()) {
    if (!stream.live) continue;
    auto& known = world.oracle_.streams[stream.incarnation];
    const auto seq = stream.next.get() - 1;
    known.records[seq] = {count, content, world.now_};
    known.made += count;
    if (stream.sampled != known.made) world.oracle_.violation("D6: the spool counts other samples than were taken");
    world.note(stream.sampled);
  }
}

void AgentNode::step() {
  disk.set_full(!world.healing_ && world.now_ < full_until);
  if (!spool) {
    if (world.now_ >= down_until) start();
    if (!spool) return;
  }
  if (world.now_ >= sample_at_ && !world.quiet_) {
    sample_at_ = world.now_ + std::chrono::milliseconds{200};
    sample();
  }
  if (world.now_ >= maintain_at_) {
    maintain_at_ = world.now_ + std::chrono::seconds{1};
    spool->maintain();
  }
  for (std::size_t i = 0; i < links_.size() && !disk.crashed(); ++i) serve(i);
  // A full disk is no excuse: what it refuses is noted in place, once the file for that is there.
  constexpr auto kTail = agent::TailLog::kBlocks * agent::TailLog::kBlockBytes;
  const auto& trouble = spool->trouble();
  if (trouble && (trouble->code != Errc::full || disk.size("spool.db.tail") < kTail)) world.oracle_.disk_trouble(world.now_);
  if (disk.crashed()) die_of_crash();
}

void AgentNode::die_of_crash() {
  world.oracle_.disk_trouble(world.now_);  // the record under way may be lost: its append() never returned
  kill();
  if (world.random_.below(2) == 0) {
    disk.power_loss();
    world.oracle_.power_lost(world.now_);
  }
  down_until = world.now_ + std::chrono::milliseconds{200 + world.random_.below(5'000)};
}

void AgentNode::damage() {
  if (!disk.damage("spool.db")) return;
  world.oracle_.taint_all();
  damaged_ = true;
}

void AgentNode::serve(std::size_t index) {
  auto& link = links_[index];
  auto& node = *world.collectors_[index];
  if (!link.session) {
    if (world.now_ < link.retry_at) return;
    if (!node.journal || node.from_agent.cut || node.to_agent.cut) {
      link.retry_at = world.now_ + std::chrono::milliseconds{500 + world.random_.below(2000)};
      return;
    }
    node.connect();
    link.source = std::make_unique<WatchedSource>(spool->source(collector_name(node.index)), node);
    wire::AgentSession::Options options;
    options.agent = AgentId{"node-1"};
    link.named = link.source->streams();
    link.session = std::make_unique<wire::AgentSession>(options, *link.source, world.now_);
  }
  const bool was_open = link.session->open();
  Status fine;
  if (!node.connected) fine = fail(Errc::unavailable, "reset", "");
  while (fine && !node.to_agent.cut && !node.to_agent.pieces.empty() && node.to_agent.pieces.front().due <= world.now_) {
    const auto piece = std::move(node.to_agent.pieces.front());
    node.to_agent.pieces.pop_front();
    fine = link.session->on_bytes(piece.bytes, world.now_, world.wall_);
  }
  // As agent/uplink does: behind a long backlog live data gets a new stream, and all sessions learn of it.
  if (!was_open && link.session->open() && link.outage.opened(world.now_, spool->live_backlog(collector_name(node.index)))) {
    spool->start_new_streams();
    for (std::size_t each = 0; each < links_.size(); ++each)
      if (links_[each].session) drop(each);
    return;
  }
  if (fine) fine = link.session->pump();
  if (fine) fine = link.session->tick(world.now_, world.wall_);
  if (fine && link.session->has_output()) {
    auto bytes = link.session->take_output();
    const auto due = world.now_ + std::chrono::milliseconds{world.random_.below(60)};
    const auto at = bytes.size() > 1 ? world.random_.below(bytes.size()) : 0;
    // In two pieces, so that frames arrive torn.
    node.from_agent.pieces.push_back({due, {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at)}});
    node.from_agent.pieces.push_back({due, {bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end()}});
  }
  const bool turn_over = link.named.size() == wire::kMaxStreams && link.session->open() &&
                         agent::turn_is_over(link.named, link.source->streams());
  if (!fine || link.session->goaway() || turn_over) drop(index);
}

}  // namespace ward::sim
