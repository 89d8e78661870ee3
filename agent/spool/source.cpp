// The spool as one collector's sessions see it: reading in order, holes included.
#include <algorithm>

#include "agent/spool/spool.hpp"
#include "agent/spool/statements.hpp"
#include "common/base/assert.hpp"
#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"

namespace ward::agent {

class SpoolSource final : public wire::RecordSource {
 public:
  SpoolSource(Spool& spool, std::string collector) : spool_(spool), collector_(std::move(collector)) {}

  std::vector<wire::HelloStream> streams() const override {
    std::vector<wire::HelloStream> live;
    std::vector<wire::HelloStream> old;
    for (const auto& [id, stream] : spool_.streams_) {
      const auto& info = stream.info;
      if (!spool_.is_configured(info.tenant)) continue;
      if (!info.live && held(id) >= Sequence{info.next.get() - 1}) continue;
      (info.live ? live : old)
          .push_back({info.tenant, info.incarnation, info.boot, info.base, info.next, info.sampled_before_base, info.live});
    }
    if (old.size() + live.size() > wire::kMaxStreams)
      old.resize(wire::kMaxStreams - std::min(live.size(), wire::kMaxStreams));
    old.insert(old.end(), live.begin(), live.end());
    return old;
  }

  Result<std::optional<Item>> read(const wire::HelloStream& stream, Sequence from) override {
    const auto id = spool_.find(stream.tenant, stream.incarnation);
    if (id == 0) return std::optional<Item>{};
    return spool_.read(id, from);
  }

  const Labels& series(std::uint32_t id) const override { return *spool_.labels_by_id_.at(id); }

  Status on_durable(const wire::HelloStream& stream, Sequence durable) override {
    const auto id = spool_.find(stream.tenant, stream.incarnation);
    if (id == 0) return {};
    auto& cursor = spool_.cursors_[collector_][id];
    cursor = std::max(cursor, durable);
    return {};
  }

  Status reject(const wire::HelloStream& stream, Sequence seq) override {
    const auto id = spool_.find(stream.tenant, stream.incarnation);
    if (id == 0) return {};
    auto set_aside = spool_.replace_by_gap(id, seq, GapReason::rejected);
    if (!set_aside) spool_.note_failure(set_aside.error());
    return set_aside;
  }

 private:
  Sequence held(std::int64_t id) const {
    const auto& cursors = spool_.cursors_.at(collector_);
    const auto at = cursors.find(id);
    return at == cursors.end() ? Sequence{0} : at->second;
  }
  Spool& spool_;
  std::string collector_;
};

wire::RecordSource& Spool::source(const std::string& collector) {
  WARD_ASSERT(cursors_.contains(collector));
  auto& source = sources_[collector];
  if (!source) source = std::make_unique<SpoolSource>(*this, collector);
  return *source;
}

Result<std::optional<wire::RecordSource::Item>> Spool::read(StreamId id, Sequence from) {
  using Item = wire::RecordSource::Item;
  const auto* live = stream(id);
  if (live == nullptr || from >= live->info.next) return std::optional<Item>{};
  // The file was opened again after an error and a trim turned out to have happened that this session was not greeted
  // with: what is below base is not a hole, and a new HELLO states it with exact counts.
  if (from < live->info.base)
    return fail(Errc::cancelled,
                "the stream was trimmed up to " + std::to_string(live->info.base.get()) + " under an open session", "");
  for (const auto& [owner, gap, counts] : unsaved_gaps_) {
    if (owner != id || gap.from > from || gap.to < from) continue;
    auto rest = gap;
    rest.from = from;
    rest.samples -= std::min(rest.samples, gap_samples_below(counts, gap.from, from));
    return std::optional<Item>{rest};
  }
  for (const auto& waiting : unsaved_)
    if (waiting.stream == id && waiting.record.seq == from) return std::optional<Item>{waiting.record};
  if (!db_) return std::optional<Item>{};  // the next flush opens the file again
  auto item = read_stored(id, from);
  if (item) return item;
  note_failure(item.error());
  return std::optional<Item>{};
}

Result<std::optional<wire::RecordSource::Item>> Spool::read_stored(StreamId id, Sequence from) {
  using Item = wire::RecordSource::Item;
  auto& get = statements_->get_record;
  get.bind(1, id).bind(2, static_cast<std::int64_t>(from.get()));
  const auto found = get.step();
  if (!found) {
    get.reset();
    return fail(found.error());
  }
  if (*found) {
    wire::Record record;
    record.seq = from;
    record.kind = static_cast<wire::RecordKind>(get.integer(0));
    record.data_class = static_cast<DataClass>(get.integer(1));
    record.t_min = from_ms(get.integer(3));
    record.t_max = from_ms(get.integer(4));
    record.digest = static_cast<std::uint32_t>(get.integer(5));
    const bool intact = stored_crc(record, get.blob(7)) == static_cast<std::uint32_t>(get.integer(6)) &&
                        codec_.decode(get.blob(7), record) &&
                        std::all_of(record.samples.begin(), record.samples.end(),
                                    [&](const auto& sample) { return labels_by_id_.contains(sample.id); });
    get.reset();
    if (intact) return std::optional<Item>{std::move(record)};
    if (auto replaced = replace_by_gap(id, from, GapReason::corrupt); !replaced) return fail(replaced.error());
  } else {
    get.reset();
  }

  auto& get_gap = statements_->get_gap;
  const auto at = static_cast<std::int64_t>(from.get());
  get_gap.bind(1, id).bind(2, at).bind(3, at);
  const auto gap_found = get_gap.step();
  Gap gap;
  if (gap_found && *gap_found) {
    gap.from = from;
    gap.to = Sequence{static_cast<std::uint64_t>(get_gap.integer(1))};
    const Sequence first{static_cast<std::uint64_t>(get_gap.integer(0))};
    gap.samples = static_cast<std::uint64_t>(get_gap.integer(2));
    if (!planted(Planted::count_whole_gap))
      gap.samples -= std::min(gap.samples, gap_samples_below(get_gap.blob(6), first, from));
    gap.reason = static_cast<GapReason>(get_gap.integer(3));
    gap.t0 = from_ms(get_gap.integer(4));
    gap.t1 = from_ms(get_gap.integer(5));
  }
  get_gap.reset();
  if (!gap_found) return fail(gap_found.error());
  if (*gap_found) return std::optional<Item>{gap};
  return state_hole(id, from);
}

// Neither record nor gap: a damaged file lost it. A hole would block the stream for ever, so it becomes a gap; what the
// stream's row counts more than its records and gaps hold is what was in the hole.
Result<std::optional<wire::RecordSource::Item>> Spool::state_hole(StreamId id, Sequence from) {
  const auto& info = stream(id)->info;
  const auto stream_is = " WHERE stream=" + std::to_string(id);
  const auto after = " AND seq>" + std::to_string(from.get());
  const auto gap_after = " AND from_seq>" + std::to_string(from.get());
  const auto next_record = db_->scalar("SELECT min(seq) FROM record" + stream_is + after);
  const auto next_gap = db_->scalar("SELECT min(from_seq) FROM gap" + stream_is + gap_after);
  const auto in_records = db_->scalar("SELECT coalesce(sum(count),0) FROM record" + stream_is);
  const auto in_gaps = db_->scalar("SELECT coalesce(sum(samples),0) FROM gap" + stream_is);
  for (const auto* answer : {&next_record, &next_gap, &in_records, &in_gaps})
    if (!*answer) return fail(answer->error());
  auto end = info.next.get();
  std::uint64_t in_memory = 0;
  for (const auto& waiting : unsaved_) {
    if (waiting.stream != id) continue;
    end = std::min(end, waiting.record.seq.get());
    in_memory += waiting.record.samples.size();
  }
  for (const auto& waiting : unsaved_gaps_) {
    if (waiting.stream != id) continue;
    end = std::min(end, waiting.gap.from.get());
    in_memory += waiting.gap.samples;
  }
  if (*next_record > 0) end = std::min(end, static_cast<std::uint64_t>(*next_record));
  if (*next_gap > 0) end = std::min(end, static_cast<std::uint64_t>(*next_gap));
  const auto known = info.sampled_before_base + static_cast<std::uint64_t>(*in_records + *in_gaps) + in_memory;
  Gap gap;
  gap.from = from;
  gap.to = Sequence{std::max(end, from.get() + 1) - 1};
  gap.samples = info.sampled > known ? info.sampled - known : 0;
  gap.reason = GapReason::corrupt;
  stats_.dropped_samples[gap.reason] += gap.samples;
  if (auto put = write_gap(id, gap); !put) return fail(put.error());
  return std::optional<wire::RecordSource::Item>{gap};
}

Status Spool::replace_by_gap(StreamId id, Sequence seq, GapReason reason) {
  if (!db_) return fail(Errc::unavailable, "the spool file is closed after an I/O error", "Check the disk of the spool.");
  auto row = db_->prepare("SELECT count,t_min,t_max FROM record WHERE stream=? AND seq=?");
  if (!row) return fail(row.error());
  row->bind(1, id).bind(2, static_cast<std::int64_t>(seq.get()));
  const auto found = row->step();
  if (!found) return fail(found.error());
  if (!*found) return {};
  const Gap gap{
      seq, seq, static_cast<std::uint64_t>(row->integer(0)), reason, from_ms(row->integer(1)), from_ms(row->integer(2))};
  row->reset();
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  if (auto put = write_gap(id, gap); !put) return put;
  if (auto gone =
          db_->run("DELETE FROM record WHERE stream=" + std::to_string(id) + " AND seq=" + std::to_string(seq.get()));
      !gone)
    return gone;
  stats_.dropped_samples[reason] += gap.samples;
  return transaction->commit();
}

}  // namespace ward::agent
