#include "common/wire/collector_session.hpp"

#include <algorithm>
#include <utility>

#include "common/base/assert.hpp"

namespace ward::wire {
namespace {

tl::unexpected<Error> protocol(std::string what) {
  return fail(Errc::invalid, "the agent broke the protocol: " + std::move(what),
              "Check that agent and collector run compatible versions.");
}

}  // namespace

CollectorSession::CollectorSession(Options options, SessionPort& port, MonoTime now)
    : options_(options), port_(port), started_(now), heard_(now) {}

Status CollectorSession::on_bytes(ByteView bytes, MonoTime now, Time wall) {
  heard_ = now;
  reader_.push(bytes);
  while (true) {
    auto frame = reader_.next();
    if (!frame) return fail(frame.error());
    if (!*frame) return {};
    if (auto done = on_frame(std::move(**frame), wall); !done) return done;
  }
}

Status CollectorSession::on_frame(Frame frame, Time wall) {
  if (auto* hello = std::get_if<Hello>(&frame)) {
    if (greeted_) return protocol("a second HELLO");
    if (hello->version != kProtocolVersion)
      return fail(Errc::invalid,
                  "agent '" + hello->agent.get() + "' speaks protocol version " + std::to_string(hello->version) +
                      ", this collector speaks " + std::to_string(kProtocolVersion),
                  "Upgrade the older of the two.");
    hello_ = std::move(*hello);
    greeted_ = true;
    return port_.hello(hello_);
  }
  if (const auto* ping = std::get_if<Ping>(&frame); ping != nullptr && greeted_) {
    if (out_.size() > options_.max_output) return protocol("it sends and does not read its answers");
    write_frame(Pong{ping->id, wall}, out_);
    return {};
  }
  if (const auto* meta = std::get_if<Meta>(&frame); meta != nullptr && greeted_) {
    port_.meta(*meta);
    return {};
  }
  if (!open_) return protocol("records before WELCOME");
  if (const auto* series = std::get_if<Series>(&frame)) return on_series(*series);
  if (auto* data = std::get_if<Data>(&frame)) return on_data(std::move(*data));
  if (auto* events = std::get_if<EventFrame>(&frame)) return on_events(std::move(*events));
  if (const auto* gap = std::get_if<GapFrame>(&frame)) return on_gap(*gap);
  return protocol("a frame that only collectors send");
}

void CollectorSession::welcome(std::vector<Mark> marks, std::uint64_t credit, Time wall) {
  WARD_ASSERT(marks.size() == hello_.streams.size() && !open_);
  open_ = true;
  reader_.set_limit(kMaxFrameBytes);
  for (const auto& mark : marks) {
    Incoming incoming;
    incoming.received = mark.durable;
    streams_.push_back(std::move(incoming));
  }
  Welcome frame;
  frame.marks = std::move(marks);
  frame.credit = credit;
  frame.server_time = wall;
  frame.life = options_.life;
  write_frame(frame, out_);
}

Status CollectorSession::on_series(const Series& series) {
  if (series.stream >= streams_.size()) return protocol("SERIES for stream " + std::to_string(series.stream));
  if (series.entries.size() > options_.max_series - defined_)
    return fail(Errc::full,
                "agent '" + hello_.agent.get() + "' named more than " + std::to_string(options_.max_series) +
                    " series in one session, which is the limit",
                "Upgrade the agent; look for a probe or label of it that makes new series at each run.");
  defined_ += series.entries.size();
  for (const auto& entry : series.entries) {
    if (entry.labels.name().empty()) return protocol("a series without a name");
    streams_[series.stream].series.push_back({entry.id, port_.resolve(series.stream, entry.labels)});
  }
  return {};
}

Result<bool> CollectorSession::in_order(StreamIndex stream, Sequence seq) {
  auto& received = streams_[stream].received;
  if (seq <= received) return false;
  if (seq > next(received))
    return protocol("record " + std::to_string(seq.get()) + " after " + std::to_string(received.get()) + " without a GAP");
  received = seq;
  return true;
}

Status CollectorSession::on_data(Data data) {
  if (data.stream >= streams_.size()) return protocol("DATA for stream " + std::to_string(data.stream));
  auto& stream = streams_[data.stream];
  Record record;
  record.seq = data.seq;
  record.kind = RecordKind::samples;
  record.data_class = data.data_class;
  record.digest = data.digest;
  // Decode even a duplicate: the coder state of both ends must move together.
  const auto known = static_cast<std::uint32_t>(stream.series.size());
  if (auto decoded = stream.decoder.decode(data.coded, data.count, data.base, known, record.samples); !decoded)
    return fail(decoded.error());
  SampleDigest told;
  record.t_min = record.t_max = data.base;
  for (auto& sample : record.samples) {
    const auto& definition = stream.series[sample.id];
    sample.id = definition.agent_id;
    told.add(sample);
    sample.id = definition.ref;
    record.t_min = std::min(record.t_min, sample.t);
    record.t_max = std::max(record.t_max, sample.t);
  }
  if (told.value() != data.digest) return protocol("the digest of record " + std::to_string(data.seq.get()) + " differs");
  const auto take = in_order(data.stream, data.seq);
  if (!take) return fail(take.error());
  if (!*take) {
    port_.duplicate(data.stream, data.seq, data.digest);
    return {};
  }
  const auto refused = std::erase_if(record.samples, [](const IdSample& s) { return s.id == kRefusedSeries; });
  port_.record(data.stream, std::move(record), refused);
  return {};
}

Status CollectorSession::on_events(EventFrame frame) {
  if (frame.stream >= streams_.size()) return protocol("EVENT for stream " + std::to_string(frame.stream));
  Record record;
  record.seq = frame.seq;
  record.kind = RecordKind::events;
  record.data_class = frame.data_class;
  record.digest = digest(frame.events);
  record.events = std::move(frame.events);
  if (!record.events.empty()) {
    record.t_min = record.events.front().t;
    record.t_max = record.events.back().t;
  }
  const auto take = in_order(frame.stream, frame.seq);
  if (!take) return fail(take.error());
  if (*take)
    port_.record(frame.stream, std::move(record), 0);
  else
    port_.duplicate(frame.stream, frame.seq, record.digest);
  return {};
}

Status CollectorSession::on_gap(const GapFrame& frame) {
  if (frame.stream >= streams_.size()) return protocol("GAP for stream " + std::to_string(frame.stream));
  auto& received = streams_[frame.stream].received;
  if (frame.gap.to <= received) return {};  // stated before; what is held stays
  if (frame.gap.from > next(received)) return protocol("a GAP beyond the next record");
  if (frame.gap.from != next(received)) return protocol("a GAP over records this collector holds");
  received = frame.gap.to;
  port_.gap(frame.stream, frame.gap);
  return {};
}

void CollectorSession::committed(StreamIndex stream, Sequence durable) {
  Ack ack;
  const AckEntry entry{stream, durable};
  ack.entries.push_back(entry);
  write_frame(ack, out_);
}

void CollectorSession::set_credit(std::uint64_t limit) { write_frame(Credit{limit}, out_); }

void CollectorSession::nack(StreamIndex stream, Sequence seq) { write_frame(Nack{stream, seq}, out_); }

void CollectorSession::goaway(std::string reason) {
  reason.resize(std::min<std::size_t>(reason.size(), 256));
  write_frame(Goaway{std::move(reason)}, out_);
}

Status CollectorSession::tick(MonoTime now) {
  if (!greeted_) {
    if (now - started_ < options_.hello_limit) return {};
    return fail(Errc::timed_out, "no HELLO within " + std::to_string(options_.hello_limit.count()) + " ms", "");
  }
  if (now - heard_ >= options_.silence_limit)
    return fail(Errc::timed_out, "the agent has been silent for " + std::to_string(options_.silence_limit.count()) + " ms",
                "");
  return {};
}

}  // namespace ward::wire
