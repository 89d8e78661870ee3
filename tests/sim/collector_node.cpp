#include <algorithm>

#include "tests/sim/nodes.hpp"
#include "tests/support/replay.hpp"

namespace ward::sim {

std::string collector_name(int index) { return "c" + std::to_string(index); }

CollectorNode::CollectorNode(World& w, int i)
    : world(w), index(i), disk("sim-collector-" + std::to_string(i), w.settings_.seed * 31 + static_cast<std::uint64_t>(i)) {
  start();
}

void CollectorNode::start() {
  disk.bury();
  collector::SqliteJournal::Options options;
  options.path = "journal.db";
  options.vfs = disk.vfs();
  options.checkpoint_pages = 16 << (world.settings_.seed % 5);
  auto opened = collector::SqliteJournal::open(options);
  if (!opened) {
    down_until = world.now_ + std::chrono::seconds{1};  // as a supervisor would: try again
    return;
  }
  journal = std::move(*opened);
  catalogue_ = std::make_unique<collector::Catalogue>(collector::Catalogue::Caps{});
  sink_.taken = 0;
  const auto replayed =
      test::replay(*journal, {[&](collector::SeriesId id, Labels labels) { catalogue_->load(id, std::move(labels)); }},
                   [&](const std::vector<wire::IdSample>& samples) { sink_.taken += samples.size(); });
  if (!replayed || replayed->damaged != 0)
    world.oracle_.violation("D1: " + collector_name(index) + " cannot replay its journal");
  recorder_ = std::make_unique<collector::Recorder>(*journal, *catalogue_, sink_);
  for (const auto& stream : streams()) {
    const auto& inc = stream.key.incarnation;
    if (stream.durable.get() < acked[inc])
      world.oracle_.violation("D1: " + collector_name(index) + " acknowledged records that its restart does not know");
    if (stream.durable.get() < highest_durable[inc])
      world.oracle_.violation("D7: the mark of a stream went back on " + collector_name(index));
  }
  for (const auto& [inc, seq] : acked) {
    bool known = seq == 0;
    for (const auto& stream : streams()) known = known || stream.key.incarnation == inc;
    if (!known) world.oracle_.violation("D1: " + collector_name(index) + " lost a stream it had acknowledged");
  }
}

void CollectorNode::die_of_crash() {
  kill();
  if (world.random_.below(2) == 0) disk.power_loss();
  down_until = world.now_ + std::chrono::milliseconds{200 + world.random_.below(10'000)};
}

void CollectorNode::kill() {
  disk.kill_writers();
  session_.reset();
  recorder_.reset();
  catalogue_.reset();
  journal.reset();
  pending_.clear();
  greeting_ = is_full_ = false;
  disconnect();
}

void CollectorNode::connect() {
  session_ = std::make_unique<collector::IngestSession>(*this, nullptr, world.now_);
  greeting_ = false;
  to_agent.pieces.clear();
  from_agent.pieces.clear();
  connected = true;
}

void CollectorNode::disconnect() {
  connected = false;
  to_agent.pieces.clear();
  from_agent.pieces.clear();
}

void CollectorNode::open_streams(collector::IngestSession&) { greeting_ = true; }

void CollectorNode::step() {
  disk.set_full(!world.healing_ && world.now_ < full_until);
  if (!journal) {
    if (world.now_ >= down_until) start();
    if (!journal) return;
  }
  while (connected && session_ && !from_agent.cut && !from_agent.pieces.empty() &&
         from_agent.pieces.front().due <= world.now_) {
    session_->on_bytes(from_agent.pieces.front().bytes, world.now_, world.wall_);
    from_agent.pieces.pop_front();
  }
  const bool to_commit = !pending_.empty() || is_full_;
  if (to_commit && commit_at_ == MonoTime{}) commit_at_ = world.now_ + std::chrono::milliseconds{world.random_.below(100)};
  if (to_commit && world.now_ >= commit_at_) commit();
  if (session_ && greeting_ && (pending_.empty() || is_full_)) {
    greeting_ = false;
    std::vector<StreamKey> keys;
    std::vector<std::uint64_t> boots;
    for (const auto& stream : session_->greeting().streams) {
      keys.push_back({stream.tenant, session_->identity().agent, stream.incarnation});
      boots.push_back(stream.boot);
    }
    auto opened = recorder_->open_streams(keys, boots);
    // As StreamServer and CommitLoop do: a session is welcomed on a full disk too, and what was refused is sent again.
    if (opened && is_full_)
      std::erase_if(pending_, [&](const collector::JournalEntry& entry) {
        const auto* received = std::get_if<collector::ReceivedRecord>(&entry);
        const auto row = received != nullptr ? received->stream : std::get<collector::ReceivedGap>(entry).stream;
        return std::any_of(opened->begin(), opened->end(), [&](const auto& s) { return s.row == row; });
      });
    if (opened)
      session_->welcome(std::move(*opened), is_full_ ? 0 : 64 << 10, world.wall_);
    else
      session_->end(opened.error());
  }
  if (disk.crashed()) return die_of_crash();
  if (!session_) return;
  session_->tick(world.now_);
  if (session_->has_output() && connected) {
    const auto due = world.now_ + std::chrono::milliseconds{world.random_.below(60)};
    to_agent.pieces.push_back({due, session_->take_output()});
  }
  if (session_->ended()) {
    session_.reset();
    greeting_ = false;
    disconnect();
  }
}

void CollectorNode::commit() {
  commit_at_ = MonoTime{};
  auto result = Result<std::vector<collector::Committed>>{};
  if (!pending_.empty())
    result = recorder_->commit(pending_);
  else if (auto takes = recorder_->probe(); !takes)
    result = fail(takes.error());
  if (disk.crashed()) return;
  if (!result && result.error().code == Errc::full) {
    if (!std::exchange(is_full_, true) && session_) session_->set_credit(0);
    commit_at_ = world.now_ + std::chrono::seconds{1};
    return;
  }
  pending_.clear();
  if (!result) {
    is_full_ = false;
    if (session_) session_->end(result.error());
    return;
  }
  if (std::exchange(is_full_, false) && session_) session_->set_credit(64 << 10);
  std::uint64_t stored = 0;
  for (const auto& stream : streams()) {
    stored += stream.stored;
    auto& highest = highest_durable[stream.key.incarnation];
    highest = std::max(highest, stream.durable.get());
    world.note(stream.durable.get());
  }
  if (stored != sink_.taken)
    world.oracle_.violation("D5: the head of " + collector_name(index) + " is not what its journal holds");
  if (session_) session_->on_committed(*result);
}

}  // namespace ward::sim
