#include "collector/ingest/recorder.hpp"

#include <algorithm>

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
  auto series = catalogue_.take_new();
  auto done = journal_.commit(series, entries);
  if (!done && planted(Planted::retry_failed_commit) && done.error().code != Errc::full) done = Status{};
  if (!done) {
    catalogue_.put_back(std::move(series));
    if (done.error().code != Errc::full) (void)journal_.reopen();
    return fail(done.error());
  }
  for (const auto& [id, labels] : series) sink_.define(id, labels);
  std::vector<Committed> out;
  for (const auto& entry : entries) {
    if (const auto* record = std::get_if<ReceivedRecord>(&entry)) sink_.append(record->record.samples);
    const auto [stream, seq] = position(entry);
    const auto known = std::find_if(out.begin(), out.end(), [s = stream](const Committed& c) { return c.stream == s; });
    if (known == out.end())
      out.push_back({stream, seq});
    else
      known->durable = std::max(known->durable, seq);
  }
  return out;
}

}  // namespace ward::collector
