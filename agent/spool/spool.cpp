#include "agent/spool/spool.hpp"

#include <algorithm>
#include <utility>

#include "agent/spool/statements.hpp"
#include "common/base/assert.hpp"
#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"

namespace ward::agent {
namespace {

constexpr std::size_t kSamplesPerRecord =
    4096;                                      // a record stays far below wire::kMaxRecordBytes even when nothing compresses
constexpr std::uint64_t kRecordOverhead = 96;  // of an in-memory record, beside its samples

std::uint64_t memory_of(const wire::Record& record) {
  return kRecordOverhead + record.samples.size() * sizeof(wire::IdSample) + record.events.size() * 256;
}

TailLog::Counted counted(const wire::Record& record) {
  return {record.seq, record.samples.size(), record.t_min, record.t_max};
}

}  // namespace

std::uint32_t stored_crc(const wire::Record& record, wire::ByteView payload) {
  wire::Buffer head;
  wire::ByteWriter w(head);
  w.u64(record.seq.get());
  w.u8(static_cast<std::uint8_t>(record.kind));
  w.u8(static_cast<std::uint8_t>(record.data_class));
  w.svarint(to_ms(record.t_min));
  w.svarint(to_ms(record.t_max));
  w.u32(record.digest);
  return crc32c(payload, crc32c(head));
}

std::uint64_t gap_samples_below(wire::ByteView counts, Sequence from, Sequence upto) {
  wire::ByteReader in(counts);
  std::uint64_t samples = 0;
  for (auto seq = from; seq < upto && !in.at_end(); seq = next(seq)) samples += in.varint();
  return samples;
}

Spool::Spool(SpoolOptions options, Random& random) : options_(std::move(options)), random_(random) {}
Spool::~Spool() = default;

void Spool::start_new_streams() {
  for (auto& [id, live] : streams_) live.info.live = false;
  Incarnation incarnation;
  for (auto& byte : incarnation.bytes) byte = static_cast<std::uint8_t>(random_.next());
  for (const auto& tenant : options_.tenants) {
    if (planted(Planted::reuse_incarnation)) {
      incarnation = Incarnation{};
      const auto old = find(tenant, incarnation);
      if (old != 0) {
        stream(old)->info.live = true;
        continue;
      }
    }
    Live live;
    live.id = next_stream_id_++;
    live.info.tenant = tenant;
    live.info.incarnation = incarnation;
    live.info.boot = boot_;
    live.info.live = true;
    streams_.emplace(live.id, std::move(live));
  }
  unsynced_ = true;
}

Spool::Live* Spool::stream(StreamId id) {
  const auto at = streams_.find(id);
  return at == streams_.end() ? nullptr : &at->second;
}

Spool::StreamId Spool::find(const TenantId& tenant, const Incarnation& incarnation) const {
  for (const auto& [id, live] : streams_)
    if (live.info.tenant == tenant && live.info.incarnation == incarnation) return id;
  return 0;
}

std::uint32_t Spool::series_id(const Labels& labels) {
  const auto known = ids_by_labels_.find(labels);
  if (known != ids_by_labels_.end()) return known->second;
  const auto id = next_series_id_++;
  const auto at = ids_by_labels_.emplace(labels, id).first;
  labels_by_id_.emplace(id, &at->first);
  unsaved_series_.push_back(id);
  return id;
}

void Spool::append(const Batch& batch) {
  if (planted(Planted::drop_silently) && trouble_) return;
  StreamId id = 0;
  for (const auto& [candidate, live] : streams_)
    if (live.info.live && live.info.tenant == batch.tenant) id = candidate;
  WARD_ASSERT(id != 0);
  for (std::size_t at = 0; at < batch.values.size(); at += kSamplesPerRecord) {
    wire::Record record;
    record.kind = wire::RecordKind::samples;
    record.data_class = batch.data_class;
    record.t_min = record.t_max = batch.time;
    const auto end = std::min(batch.values.size(), at + kSamplesPerRecord);
    record.samples.reserve(end - at);
    for (std::size_t i = at; i < end; ++i)
      record.samples.push_back({series_id(batch.values[i].series), batch.time, batch.values[i].value});
    record.digest = wire::digest(record.samples);
    seal(id, std::move(record));
  }
  for (std::size_t at = 0; at < batch.events.size(); at += wire::kMaxRecordEvents) {
    wire::Record record;
    record.kind = wire::RecordKind::events;
    record.data_class = std::max(batch.data_class, DataClass::page);
    const auto end = std::min(batch.events.size(), at + wire::kMaxRecordEvents);
    record.events.assign(batch.events.begin() + static_cast<std::ptrdiff_t>(at),
                         batch.events.begin() + static_cast<std::ptrdiff_t>(end));
    record.t_min = record.events.front().t;
    record.t_max = record.events.back().t;
    record.digest = wire::digest(record.events);
    seal(id, std::move(record));
  }
  // Page-relevant data reaches the disk itself at once, the rest within a second.
  flush(batch.data_class >= DataClass::page && !planted(Planted::never_sync_spool) ? sqlite::Durability::full
                                                                                   : sqlite::Durability::normal);
}

void Spool::seal(StreamId id, wire::Record record) {
  auto& live = *stream(id);
  live.dirty = true;
  auto& info = live.info;
  record.seq = info.next;
  info.next = next(info.next);
  info.sampled += record.samples.size();
  unsaved_bytes_ += memory_of(record);
  unsaved_.push_back({id, std::move(record), false});
}

bool Spool::flush(sqlite::Durability durability) {
  if (db_ && unsaved_.empty() && unsaved_gaps_.empty() && !(unsynced_ && durability == sqlite::Durability::full))
    return true;
  // Before the notes of what waited may go, what waited must be on the disk itself.
  if (tail_ && !tail_->runs().empty()) durability = sqlite::Durability::full;
  auto written = db_ ? Status{} : reopen();
  if (written && durability == sqlite::Durability::full) written = db_->set_durability(durability);
  if (written) written = write_unsaved();
  if (!written && written.error().code == Errc::full && db_) {
    // Making room may meet another error than the one it should heal, and that one decides what comes next.
    written = make_room();
    if (written) written = write_unsaved();
  }
  if (db_ && durability == sqlite::Durability::full) (void)db_->set_durability(sqlite::Durability::normal);
  if (!written) {
    note_failure(written.error());
    note_tail();
    bound_memory();
    return false;
  }
  unsynced_ = durability != sqlite::Durability::full;
  if (unsynced_)
    for (const auto& waiting : unsaved_) unforced_.push_back({waiting.stream, counted(waiting.record)});
  else
    unforced_.clear();
  trouble_.reset();
  unsaved_.clear();
  unsaved_gaps_.clear();
  unsaved_series_.clear();
  unsaved_bytes_ = 0;
  for (auto& [id, live] : streams_) live.dirty = false;
  if (tail_ && !tail_->runs().empty()) (void)tail_->clear();  // or with the next write
  return true;
}

bool Spool::note(StreamId id, const TailLog::Counted& record) {
  const auto* live = stream(id);
  if (live == nullptr) return true;  // acknowledged, trimmed and gone
  const TailLog::Stream of{live->info.tenant, live->info.incarnation, live->info.boot};
  return tail_->add(of, record).has_value();
}

// What is in the page cache only needs the note as well: while nothing can be forced, a power loss takes it too.
void Spool::note_tail() {
  const auto unforced = std::exchange(unforced_, {});
  if (!tail_ || planted(Planted::forget_tail)) return;
  for (const auto& [id, record] : unforced)
    if (!note(id, record)) return;
  for (auto& waiting : unsaved_) {
    if (waiting.noted) continue;
    waiting.noted = note(waiting.stream, counted(waiting.record));
    if (!waiting.noted) return;
  }
}

void Spool::note_failure(const Error& error) {
  ++stats_.write_failures;
  trouble_ = error;
  // After an I/O error the file's state is unknown until it is opened again; a bare retry could "succeed" on lost pages.
  if (error.code != Errc::full) {
    statements_.reset();
    db_.reset();
  }
}

Status Spool::write_unsaved() {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  for (const auto id : unsaved_series_) {
    wire::Buffer bytes;
    wire::ByteWriter w(bytes);
    wire::write_labels(w, *labels_by_id_.at(id));
    if (auto put =
            statements_->put_series.bind(1, std::int64_t{id}).bind(2, bytes).bind(3, std::int64_t{crc32c(bytes)}).run();
        !put)
      return put;
  }
  for (const auto& waiting : unsaved_)
    if (auto put = write_record(waiting.stream, waiting.record); !put) return put;
  for (const auto& [id, gap, counts] : unsaved_gaps_)
    if (auto put = write_gap(id, gap, counts); !put) return put;
  for (const auto& [id, live] : streams_)
    if (live.dirty)
      if (auto put = write_stream(live); !put) return put;
  if (unsaved_.empty())
    if (auto put = statements_->bump.run(); !put) return put;
  return transaction->commit();
}

Status Spool::write_record(StreamId id, const wire::Record& record) {
  const auto payload = codec_.encode(record);
  return statements_->put_record.bind(1, id)
      .bind(2, static_cast<std::int64_t>(record.seq.get()))
      .bind(3, static_cast<std::int64_t>(record.kind))
      .bind(4, static_cast<std::int64_t>(record.data_class))
      .bind(5, static_cast<std::int64_t>(record.samples.size()))
      .bind(6, to_ms(record.t_min))
      .bind(7, to_ms(record.t_max))
      .bind(8, std::int64_t{record.digest})
      .bind(9, std::int64_t{stored_crc(record, payload)})
      .bind(10, sqlite::Bytes{payload})
      .run();
}

Status Spool::write_stream(const Live& live) {
  const auto& info = live.info;
  const auto boot = static_cast<std::int64_t>(info.boot);
  const auto base = static_cast<std::int64_t>(info.base.get());
  const auto end = static_cast<std::int64_t>(info.next.get());
  const auto sampled = static_cast<std::int64_t>(info.sampled);
  const auto before = static_cast<std::int64_t>(info.sampled_before_base);
  const std::string_view tenant = info.tenant.get();
  return statements_->put_stream.bind(1, live.id)
      .bind(2, tenant)
      .bind(3, sqlite::Bytes{info.incarnation.bytes})
      .bind(4, boot)
      .bind(5, base)
      .bind(6, end)
      .bind(7, sampled)
      .bind(8, before)
      .bind(9, row_crc({live.id, boot, base, end, sampled, before}, tenant, info.incarnation.bytes))
      .run();
}

Status Spool::write_gap(StreamId id, const Gap& gap, wire::ByteView counts) {
  const auto from = static_cast<std::int64_t>(gap.from.get());
  const auto to = static_cast<std::int64_t>(gap.to.get());
  const auto samples = static_cast<std::int64_t>(gap.samples);
  const auto reason = static_cast<std::int64_t>(gap.reason);
  return statements_->put_gap.bind(1, id)
      .bind(2, from)
      .bind(3, to)
      .bind(4, samples)
      .bind(5, reason)
      .bind(6, to_ms(gap.t0))
      .bind(7, to_ms(gap.t1))
      .bind(8, counts)
      .bind(9, row_crc({id, from, to, samples, reason, to_ms(gap.t0), to_ms(gap.t1)}, {}, counts))
      .run();
}

void Spool::bound_memory() {
  // Lowest class first, oldest first; each becomes a gap, so that the stream stays whole and the count exact.
  for (auto cls = DataClass::raw; unsaved_bytes_ > options_.max_unsaved_bytes && cls <= DataClass::audit;
       cls = static_cast<DataClass>(static_cast<int>(cls) + 1)) {
    for (auto it = unsaved_.begin(); it != unsaved_.end() && unsaved_bytes_ > options_.max_unsaved_bytes;) {
      if (it->record.data_class != cls) {
        ++it;
        continue;
      }
      const auto& record = it->record;
      const Gap gap{record.seq, record.seq, record.samples.size(), GapReason::disk_error, record.t_min, record.t_max};
      stats_.dropped_samples[gap.reason] += gap.samples;
      unsaved_bytes_ -= memory_of(record);
      unsaved_gaps_.push_back({it->stream, gap, {}});
      it = unsaved_.erase(it);
    }
  }
}

}  // namespace ward::agent
