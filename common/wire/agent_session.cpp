#include "common/wire/agent_session.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/assert.hpp"
#include "common/base/planted.hpp"

namespace ward::wire {
namespace {

constexpr std::size_t kSeriesTextTarget = 128 << 10;  // cut SERIES here, far below kMaxSeriesText

tl::unexpected<Error> protocol(std::string what) {
  return fail(Errc::invalid, "the collector broke the protocol: " + std::move(what),
              "Check that agent and collector run compatible versions.");
}

}  // namespace

AgentSession::AgentSession(Options options, RecordSource& source, MonoTime now)
    : options_(std::move(options)), source_(source), started_(now), heard_(now), pinged_(now) {
  Hello hello;
  hello.agent = options_.agent;
  hello.software = options_.software;
  hello.config_hash = options_.config_hash;
  hello.streams = source_.streams();
  for (const auto& stream : hello.streams) {
    Outgoing outgoing;
    outgoing.hello = stream;
    streams_.push_back(std::move(outgoing));
  }
  write_frame(hello, out_);
}

void AgentSession::describe_metrics(std::vector<MetaEntry> entries) {
  if (open_) return send_descriptions(std::move(entries));
  news_.insert(news_.end(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
}

// After WELCOME only: a collector takes no more than kMaxHelloBytes from a peer it does not know yet.
void AgentSession::send_descriptions(std::vector<MetaEntry> entries) {
  constexpr std::size_t kPerFrame = 256;
  described_to_ = 0;
  pings_before_meta_ = ping_id_;
  for (std::size_t at = 0; at < entries.size(); at += kPerFrame) {
    const auto end = std::min(entries.size(), at + kPerFrame);
    Meta meta;
    for (std::size_t i = at; i < end; ++i) meta.entries.push_back(std::move(entries[i]));
    write_frame(meta, out_);
  }
}

Status AgentSession::on_bytes(ByteView bytes, MonoTime now, Time wall) {
  heard_ = now;
  reader_.push(bytes);
  while (true) {
    auto frame = reader_.next();
    if (!frame) return fail(frame.error());
    if (!*frame) return pump();
    if (auto done = on_frame(std::move(**frame), now, wall); !done) return done;
  }
}

Status AgentSession::on_frame(Frame frame, MonoTime now, Time wall) {
  if (const auto* welcome = std::get_if<Welcome>(&frame)) return on_welcome(*welcome);
  if (const auto* goaway = std::get_if<Goaway>(&frame)) {
    goaway_ = goaway->reason;
    return {};
  }
  if (const auto* pong = std::get_if<Pong>(&frame)) {
    if (open_ && pong->id > pings_before_meta_) described_to_ = life_;  // what was sent before that PING has arrived
    if (pong->id == ping_id_) clock_offset_ = pong->wall - wall + std::chrono::floor<milliseconds>((now - pinged_) / 2);
    return {};
  }
  if (!open_) return protocol("it spoke before WELCOME");
  if (const auto* ack = std::get_if<Ack>(&frame)) return on_ack(*ack);
  if (const auto* nack = std::get_if<Nack>(&frame)) return on_nack(*nack);
  if (const auto* credit = std::get_if<Credit>(&frame)) {
    credit_limit_ = credit->limit;
    return {};
  }
  return protocol("it sent a frame that only agents send");
}

Status AgentSession::on_welcome(const Welcome& welcome) {
  if (open_) return protocol("a second WELCOME");
  if (welcome.marks.size() != streams_.size()) return protocol("WELCOME names another number of streams");
  open_ = true;
  credit_limit_ = welcome.credit;
  life_ = welcome.life;
  if (life_ == 0 || life_ != options_.described_to)
    send_descriptions(std::move(options_.metrics));
  else
    described_to_ = life_;
  if (!news_.empty()) send_descriptions(std::move(news_));
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    auto& stream = streams_[i];
    const auto& mark = welcome.marks[i];
    // A collector may be ahead of us: power loss cut our tail after it was sent. Then there is nothing left to send.
    stream.next_to_send = planted(Planted::resume_at_newest) ? stream.hello.next : next(mark.durable);
    stream.last = Sequence{stream.hello.next.get() - 1};
    if (auto kept = source_.on_durable(stream.hello, std::min(mark.durable, stream.last)); !kept) return kept;
    if (stream.next_to_send < stream.hello.base) {
      Gap gap;
      gap.from = stream.next_to_send;
      gap.to = Sequence{stream.hello.base.get() - 1};
      gap.samples = stream.hello.sampled_before_base - std::min(mark.accounted, stream.hello.sampled_before_base);
      if (planted(Planted::miscount_gap)) gap.samples = gap.to.get() - gap.from.get() + 1;
      gap.reason = GapReason::trimmed;
      send_gap(i, gap);
    }
  }
  return {};
}

Status AgentSession::on_ack(const Ack& ack) {
  for (const auto& entry : ack.entries) {
    if (entry.stream >= streams_.size()) return protocol("ACK for stream " + std::to_string(entry.stream));
    auto& stream = streams_[entry.stream];
    if (entry.durable >= stream.next_to_send) return protocol("ACK for a record that was never sent");
    while (!stream.in_flight.empty() && stream.in_flight.front().first <= entry.durable) {
      const auto bytes = stream.in_flight.front().second;
      stream.in_flight.pop_front();
      stream.in_flight_bytes -= bytes;
      in_flight_ -= bytes;
      if (!stream.hello.live) backlog_in_flight_ -= bytes;
    }
    if (auto kept = source_.on_durable(stream.hello, std::min(entry.durable, stream.last)); !kept) return kept;
  }
  return {};
}

Status AgentSession::on_nack(const Nack& nack) {
  if (nack.stream >= streams_.size()) return protocol("NACK for stream " + std::to_string(nack.stream));
  if (auto set_aside = source_.reject(streams_[nack.stream].hello, nack.seq); !set_aside) return set_aside;
  return fail(Errc::invalid, "the collector refused record " + std::to_string(nack.seq.get()) + " for good",
              "Look at the collector's log; the record is set aside and counted as a gap.");
}

Status AgentSession::pump() {
  if (!open_ || goaway_) return {};
  for (const bool live : {true, false}) {
    if (!live && planted(Planted::starve_backlog)) break;
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (streams_[i].hello.live != live) continue;
      while (in_flight_ < credit_limit_ && out_.size() < options_.output_target) {
        if (!live && backlog_in_flight_ >= credit_limit_ / 2) break;
        const auto sent = send_next(i);
        if (!sent) return fail(sent.error());
        if (!*sent) break;
      }
    }
  }
  return {};
}

Result<bool> AgentSession::send_next(std::size_t index) {
  auto& stream = streams_[index];
  auto item = source_.read(stream.hello, stream.next_to_send);
  if (!item) return fail(item.error());
  if (!*item) return false;
  if (const auto* gap = std::get_if<Gap>(&**item)) {
    WARD_ASSERT(gap->from == stream.next_to_send);
    send_gap(index, *gap);
    return true;
  }
  const auto& record = std::get<Record>(**item);
  WARD_ASSERT(record.seq == stream.next_to_send);
  if (auto sent = send_record(index, record); !sent) return fail(sent.error());
  if (planted(Planted::trim_at_sent)) (void)source_.on_durable(stream.hello, record.seq);
  return true;
}

Status AgentSession::define_series(std::size_t index, const Record& record) {
  auto& stream = streams_[index];
  Series frame;
  frame.stream = static_cast<StreamIndex>(index);
  std::size_t text = 0;
  const auto flush = [&] {
    if (frame.entries.empty()) return;
    stats_.series += frame.entries.size();
    write_frame(frame, out_);
    frame.entries.clear();
    text = 0;
  };
  for (const auto& sample : record.samples) {
    if (sample.id >= stream.places.size()) stream.places.resize(static_cast<std::size_t>(sample.id) + 256);
    if (stream.places[sample.id] != 0) continue;
    if (defined_ >= options_.max_series)
      return fail(Errc::cancelled,
                  "this session has named " + std::to_string(defined_) + " series, which is all that one may name", "");
    ++defined_;
    stream.places[sample.id] = ++stream.defined;
    const auto& labels = source_.series(sample.id);
    text += text_size(labels);
    frame.entries.push_back({sample.id, labels});
    if (text > kSeriesTextTarget || frame.entries.size() == kMaxSeriesEntries) flush();
  }
  flush();
  return {};
}

std::vector<IdSample> AgentSession::by_place(const Outgoing& stream, const Record& record) const {
  auto samples = record.samples;
  for (auto& sample : samples) sample.id = stream.places[sample.id] - 1;
  return samples;
}

Status AgentSession::send_record(std::size_t index, const Record& record) {
  auto& stream = streams_[index];
  const auto stream_index = static_cast<StreamIndex>(index);
  std::size_t before = out_.size();
  if (record.kind == RecordKind::samples) {
    if (auto defined = define_series(index, record); !defined) return defined;
    before = out_.size();
    Data data;
    data.stream = stream_index;
    data.seq = record.seq;
    data.data_class = record.data_class;
    data.count = static_cast<std::uint32_t>(record.samples.size());
    data.base = record.t_min;
    data.digest = record.digest;
    stream.encoder.encode(by_place(stream, record), data.base, data.coded);
    write_frame(data, out_);
    stats_.samples += record.samples.size();
  } else {
    EventFrame events;
    events.stream = stream_index;
    events.seq = record.seq;
    events.data_class = record.data_class;
    events.events = record.events;
    write_frame(events, out_);
  }
  ++stats_.records;
  account(stream, record.seq, out_.size() - before);
  return {};
}

void AgentSession::send_gap(std::size_t index, const Gap& gap) {
  const auto before = out_.size();
  GapFrame frame;
  frame.stream = static_cast<StreamIndex>(index);
  frame.gap = gap;
  write_frame(frame, out_);
  ++stats_.gaps;
  account(streams_[index], gap.to, out_.size() - before);
}

void AgentSession::account(Outgoing& stream, Sequence last, std::size_t bytes) {
  stream.next_to_send = next(last);
  stream.last = std::max(stream.last, last);
  stream.in_flight.emplace_back(last, bytes);
  stream.in_flight_bytes += bytes;
  in_flight_ += bytes;
  if (!stream.hello.live) backlog_in_flight_ += bytes;
  stats_.record_bytes += bytes;
}

Status AgentSession::tick(MonoTime now, Time wall) {
  if (!open_ && now - started_ >= options_.welcome_limit)
    return fail(Errc::timed_out,
                "the collector sent no WELCOME within " + std::to_string(options_.welcome_limit.count()) + " ms",
                "Look at the collector's log: it may be replaying its journal or refusing this agent.");
  if (now - heard_ >= options_.silence_limit)
    return fail(Errc::timed_out,
                "the collector has been silent for " + std::to_string(options_.silence_limit.count()) + " ms",
                "Check the network between this node and the collector.");
  // From HELLO on: a collector that has not welcomed us yet answers too, so that a slow one is told from a dead one, and it
  // hears of us while it makes up its mind.
  if (now - pinged_ >= options_.ping_every) {
    pinged_ = now;
    write_frame(Ping{++ping_id_, wall}, out_);
  }
  return {};
}

}  // namespace ward::wire
