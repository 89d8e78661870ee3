// What leaves the spool: records every collector holds, and, when the disk is full, records by the drop policy.
#include <algorithm>
#include <limits>

#include "agent/spool/spool.hpp"
#include "agent/spool/statements.hpp"
#include "common/base/planted.hpp"

namespace ward::agent {

Sequence Spool::held_by_all(StreamId id) const {
  if (planted(Planted::trim_at_first_ack)) return held_by_any(id);
  Sequence least{std::numeric_limits<std::uint64_t>::max()};
  for (const auto& [collector, cursors] : cursors_) {
    const auto at = cursors.find(id);
    least = std::min(least, at == cursors.end() ? Sequence{0} : at->second);
  }
  return cursors_.empty() ? Sequence{0} : least;
}

Sequence Spool::held_by_any(StreamId id) const {
  Sequence most{0};
  for (const auto& [collector, cursors] : cursors_) {
    const auto at = cursors.find(id);
    if (at != cursors.end()) most = std::max(most, at->second);
  }
  return most;
}

void Spool::maintain() {
  if (!flush(planted(Planted::never_sync_spool) ? sqlite::Durability::normal : sqlite::Durability::full)) {
    if (tail_) (void)tail_->sync();  // what it may lose is the last second, and only at a power loss on top
    return;
  }
  if (!tail_) open_tail();
  auto trimmed = trim();
  if (trimmed) trimmed = drop_removed_tenants();
  if (!trimmed) note_failure(trimmed.error());
}

Status Spool::trim() {
  const bool due = std::any_of(streams_.begin(), streams_.end(), [&](const auto& entry) {
    const auto& info = entry.second.info;
    return held_by_all(entry.first) >= info.base || (!info.live && info.base == info.next);
  });
  if (!due) return {};
  // Work on copies: memory follows only what was committed.
  auto after = streams_;
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  for (auto it = after.begin(); it != after.end();) {
    auto& live = it->second;
    if (auto trimmed = trim_stream(live, held_by_all(it->first)); !trimmed) return trimmed;
    if (!live.info.live && live.info.base == live.info.next) {
      const auto which = std::to_string(it->first);
      if (auto gone = db_->run("DELETE FROM stream WHERE id=" + which + "; DELETE FROM cursor WHERE stream=" + which); !gone)
        return gone;
      it = after.erase(it);
    } else {
      ++it;
    }
  }
  for (const auto& [collector, cursors] : cursors_)
    for (const auto& [id, durable] : cursors)
      if (after.contains(id))
        if (auto put = write_cursor(collector, id, durable); !put) return put;
  if (auto done = transaction->commit(); !done) return done;
  streams_ = std::move(after);
  for (auto& [collector, cursors] : cursors_)
    std::erase_if(cursors, [&](const auto& c) { return !streams_.contains(c.first); });
  return {};
}

Status Spool::write_cursor(const std::string& collector, StreamId id, Sequence durable) {
  const auto through = static_cast<std::int64_t>(durable.get());
  return statements_->put_cursor.bind(1, std::string_view{collector})
      .bind(2, id)
      .bind(3, through)
      .bind(4, row_crc({id, through}, collector))
      .run();
}

Status Spool::trim_stream(Live& live, Sequence through) {
  through = std::min(through, Sequence{live.info.next.get() - 1});
  if (through < live.info.base) return {};
  const auto upto = static_cast<std::int64_t>(through.get());
  auto& sum = statements_->sum_records;
  sum.bind(1, live.id).bind(2, upto);
  const auto row = sum.step();
  if (!row) {
    sum.reset();
    return fail(row.error());
  }
  auto samples = static_cast<std::uint64_t>(sum.integer(0));
  sum.reset();
  const auto in_gaps = db_->scalar("SELECT coalesce(sum(samples),0) FROM gap WHERE stream=" + std::to_string(live.id) +
                                   " AND to_seq<=" + std::to_string(upto));
  if (!in_gaps) return fail(in_gaps.error());
  const auto cut = cut_gap(live.id, through);
  if (!cut) return fail(cut.error());
  samples += static_cast<std::uint64_t>(*in_gaps) + *cut;
  if (auto gone = statements_->delete_records.bind(1, live.id).bind(2, upto).run(); !gone) return gone;
  if (auto gone = statements_->delete_gaps.bind(1, live.id).bind(2, upto).run(); !gone) return gone;
  live.info.base = next(through);
  live.info.sampled_before_base += samples;
  return write_stream(live);
}

// A gap that begins at or before `through` and ends after it keeps only its rest. The samples of the part that goes.
Result<std::uint64_t> Spool::cut_gap(StreamId id, Sequence through) {
  auto& get = statements_->get_gap;
  const auto upto = static_cast<std::int64_t>(through.get());
  get.bind(1, id).bind(2, upto).bind(3, upto + 1);
  const auto found = get.step();
  if (!found || !*found) {
    get.reset();
    if (!found) return fail(found.error());
    return 0;
  }
  const Sequence first{static_cast<std::uint64_t>(get.integer(0))};
  Gap rest{next(through),
           Sequence{static_cast<std::uint64_t>(get.integer(1))},
           static_cast<std::uint64_t>(get.integer(2)),
           static_cast<GapReason>(get.integer(3)),
           from_ms(get.integer(4)),
           from_ms(get.integer(5))};
  const wire::Buffer counts(get.blob(6).begin(), get.blob(6).end());
  get.reset();
  const auto gone = std::min(rest.samples, gap_samples_below(counts, first, rest.from));
  rest.samples -= gone;
  wire::ByteReader in(counts);
  for (auto seq = first; seq < rest.from && !in.at_end(); seq = next(seq)) in.varint();
  if (auto put = write_gap(id, rest, in.raw(in.left())); !put) return fail(put.error());
  auto drop = db_->prepare("DELETE FROM gap WHERE stream=? AND from_seq=?");
  if (!drop) return fail(drop.error());
  if (auto done = drop->bind(1, id).bind(2, static_cast<std::int64_t>(first.get())).run(); !done) return fail(done.error());
  return gone;
}

Status Spool::make_room() {
  const auto records = db_->scalar("SELECT count(*) FROM record");
  if (!records) return fail(records.error());
  const auto limit = std::max<std::int64_t>(16, *records / 20);
  std::string held;
  for (const auto& [id, live] : streams_) {
    const auto any = held_by_any(id);
    if (any.get() == 0) continue;
    held += (held.empty() ? "" : " OR ") + std::string("(stream=") + std::to_string(id) +
            " AND seq<=" + std::to_string(any.get()) + ")";
  }
  std::vector<std::string> order;
  if (!held.empty()) order.push_back("(" + held + ")");
  for (const char* cls : {"0", "1", "2", "3"}) order.push_back(std::string("class=") + cls);
  for (const auto& condition : order) {
    if (auto dropped = drop_where(condition, limit); !dropped) return dropped;
    const auto left = db_->scalar("SELECT count(*) FROM record");
    if (!left) return fail(left.error());
    if (*left < *records) return {};
  }
  return fail(Errc::full, "the spool '" + options_.path + "' is full and holds nothing that may be dropped",
              "Raise spool.max_size or free space on its volume.");
}

Status Spool::drop_where(const std::string& condition, std::int64_t limit) {
  struct Dropped {
    StreamId stream;
    Gap gap;
    wire::Buffer counts;
  };
  std::vector<Dropped> runs;
  {
    auto rows = db_->prepare("SELECT stream,seq,count,t_min,t_max FROM record WHERE " + condition +
                             " ORDER BY t_min,stream,seq LIMIT " + std::to_string(limit));
    if (!rows) return fail(rows.error());
    auto more = rows->step();
    for (; more && *more; more = rows->step()) {
      const auto id = rows->integer(0);
      const Sequence seq{static_cast<std::uint64_t>(rows->integer(1))};
      const auto samples = static_cast<std::uint64_t>(rows->integer(2));
      const auto t0 = from_ms(rows->integer(3));
      const auto t1 = from_ms(rows->integer(4));
      if (!runs.empty() && runs.back().stream == id && next(runs.back().gap.to) == seq) {
        auto& gap = runs.back().gap;
        gap.to = seq;
        gap.samples += samples;
        gap.t0 = std::min(gap.t0, t0);
        gap.t1 = std::max(gap.t1, t1);
      } else {
        const Gap gap{seq, seq, samples, GapReason::spool_full, t0, t1};
        runs.push_back({id, gap, {}});
      }
      wire::ByteWriter(runs.back().counts).varint(samples);
    }
    if (!more) return fail(more.error());
  }
  if (runs.empty()) return {};
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  for (const auto& [id, gap, counts] : runs) {
    const auto range = " WHERE stream=" + std::to_string(id) + " AND seq BETWEEN " + std::to_string(gap.from.get()) +
                       " AND " + std::to_string(gap.to.get());
    if (auto gone = db_->run("DELETE FROM record" + range); !gone) return gone;
    if (auto put = write_gap(id, gap, counts); !put) return put;
  }
  if (auto done = transaction->commit(); !done) return done;
  for (const auto& run : runs) stats_.dropped_samples[run.gap.reason] += run.gap.samples;
  return {};
}

std::uint64_t Spool::live_backlog(const std::string& collector) const {
  const auto cursors = cursors_.find(collector);
  if (cursors == cursors_.end()) return 0;
  std::uint64_t backlog = 0;
  for (const auto& [id, live] : streams_) {
    if (!live.info.live) continue;
    const auto at = cursors->second.find(id);
    backlog += live.info.next.get() - 1 - (at == cursors->second.end() ? 0 : at->second.get());
  }
  return backlog;
}

std::vector<SpoolStream> Spool::streams() const {
  std::vector<SpoolStream> out;
  for (const auto& [id, live] : streams_) out.push_back(live.info);
  return out;
}

std::vector<Gap> Spool::gaps(const TenantId& tenant, const Incarnation& incarnation) const {
  const auto id = find(tenant, incarnation);
  std::vector<Gap> out;
  for (const auto& waiting : unsaved_gaps_)
    if (waiting.stream == id) out.push_back(waiting.gap);
  if (!db_) return out;
  auto rows = const_cast<sqlite::Database&>(*db_).prepare(
      "SELECT from_seq,to_seq,samples,reason,t0,t1 FROM gap WHERE stream=" + std::to_string(id));
  if (!rows) return out;
  for (auto more = rows->step(); more && *more; more = rows->step())
    out.push_back({Sequence{static_cast<std::uint64_t>(rows->integer(0))},
                   Sequence{static_cast<std::uint64_t>(rows->integer(1))}, static_cast<std::uint64_t>(rows->integer(2)),
                   static_cast<GapReason>(rows->integer(3)), from_ms(rows->integer(4)), from_ms(rows->integer(5))});
  return out;
}

std::uint64_t Spool::spooled_samples(const TenantId& tenant, const Incarnation& incarnation) const {
  const auto id = find(tenant, incarnation);
  std::uint64_t samples = 0;
  for (const auto& waiting : unsaved_) samples += waiting.stream == id ? waiting.record.samples.size() : 0;
  if (!db_) return samples;
  const auto stored = const_cast<sqlite::Database&>(*db_).scalar("SELECT coalesce(sum(count),0) FROM record WHERE stream=" +
                                                                 std::to_string(id));
  return samples + (stored ? static_cast<std::uint64_t>(*stored) : 0);
}

SpoolStats Spool::stats() const {
  auto out = stats_;
  out.unsaved_records = unsaved_.size();
  if (!db_) return out;
  auto& db = const_cast<sqlite::Database&>(*db_);
  if (const auto records = db.scalar("SELECT count(*) FROM record")) out.records = static_cast<std::uint64_t>(*records);
  const auto pages = db.scalar("PRAGMA page_count");
  const auto page = db.scalar("PRAGMA page_size");
  if (pages && page) out.file_bytes = static_cast<std::uint64_t>(*pages) * static_cast<std::uint64_t>(*page);
  return out;
}

}  // namespace ward::agent
