#include "collector/ingest/recorder.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/planted.hpp"

namespace ward::collector {
namespace {

struct Position {
  StreamRow stream;
  Sequence seq;
};

Position position(const JournalEntry& entry) {
  if (const auto* record = std::get_if<ReceivedRecord>(&entry)) return {record->stream, record->record.seq};
  const auto& gap = std::get<ReceivedGap>(entry);
  return {gap.stream, gap.gap.to};
}

}  // namespace

Result<std::vector<Committed>> Recorder::commit(std::span<const JournalEntry> entries) {
  if (auto learned = resolve(); !learned) return fail(learned.error());
  if (tap_ != nullptr) tap_->offer(entries);
  auto series = catalogue_.take_new();
  auto done = journal_.commit(series, entries);
  if (!done && planted(Planted::ack_failed_commit) && done.error().code != Errc::full) done = Status{};
  if (done) return hand_on(series, entries);
  if (done.error().code == Errc::full || planted(Planted::retry_failed_commit)) {
    catalogue_.put_back(std::move(series));
    return fail(done.error());
  }
  in_doubt_.emplace(Doubt{std::move(series), {entries.begin(), entries.end()}});
  const auto happened = resolve();
  if (!happened || happened->empty()) return fail(done.error());
  return *happened;
}

Result<std::vector<StreamState>> Recorder::open_streams(std::span<const StreamKey> keys,
                                                        std::span<const std::uint64_t> boots) {
  if (auto learned = resolve(); !learned) return fail(learned.error());
  return journal_.open_streams(keys, boots);
}

Status Recorder::probe() {
  if (auto learned = resolve(); !learned) return fail(learned.error());
  return journal_.probe();
}

Result<std::vector<Committed>> Recorder::resolve() {
  if (!in_doubt_) return std::vector<Committed>{};
  if (auto opened = journal_.reopen(); !opened) return fail(opened.error());
  const auto streams = journal_.streams();
  if (!streams) return fail(streams.error());
  auto doubt = *std::exchange(in_doubt_, std::nullopt);
  // One transaction: if its first entry is there, all of it is.
  const auto first = position(doubt.entries.front());
  const auto held = std::find_if(streams->begin(), streams->end(), [&](const auto& s) { return s.row == first.stream; });
  if (held != streams->end() && held->durable >= first.seq && !planted(Planted::forget_doubt))
    return hand_on(doubt.series, doubt.entries);
  catalogue_.put_back(std::move(doubt.series));
  return std::vector<Committed>{};
}

std::vector<Committed> Recorder::hand_on(std::span<const NewSeries> series, std::span<const JournalEntry> entries) {
  if (tap_ != nullptr) tap_->confirm(entries);
  for (const auto& fresh : series) sink_.define(fresh.id, fresh.labels);
  std::vector<Committed> out;
  std::map<StreamRow, std::size_t> at;
  for (const auto& entry : entries) {
    const auto* record = std::get_if<ReceivedRecord>(&entry);
    const bool arrived = record == nullptr || !record->known;
    if (record != nullptr && arrived) sink_.append(record->record.samples);
    const auto [stream, seq] = position(entry);
    const auto [known, fresh] = at.emplace(stream, out.size());
    if (fresh) out.push_back({stream, seq, arrived});
    auto& of_stream = out[known->second];
    of_stream.durable = std::max(of_stream.durable, seq);
    of_stream.arrived = of_stream.arrived || arrived;
  }
  return out;
}

}  // namespace ward::collector
