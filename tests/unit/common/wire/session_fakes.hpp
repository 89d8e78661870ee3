#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/wire/agent_session.hpp"
#include "common/wire/collector_session.hpp"

namespace ward::wire {

constexpr Time kBase = from_ms(1'764'000'000'000);
constexpr MonoTime kStart{std::chrono::hours{1}};

/// A record with one sample for each id, digest included.
inline Record samples(std::uint64_t seq, const std::vector<std::uint32_t>& ids, double value = 1) {
  Record record;
  record.seq = Sequence{seq};
  record.t_min = record.t_max = kBase + milliseconds{static_cast<std::int64_t>(seq)};
  for (const auto id : ids) record.samples.push_back({id, record.t_min, value});
  record.digest = digest(record.samples);
  return record;
}

inline Record events(std::uint64_t seq, Events list) {
  Record record;
  record.seq = Sequence{seq};
  record.kind = RecordKind::events;
  record.data_class = DataClass::page;
  record.t_min = list.front().t;
  record.t_max = list.back().t;
  record.digest = digest(list);
  record.events = std::move(list);
  return record;
}

inline Gap gap_over(std::uint64_t from, std::uint64_t to, std::uint64_t samples = 0) {
  return {Sequence{from}, Sequence{to}, samples, GapReason::spool_full, kBase, kBase};
}

inline HelloStream stream(std::string tenant, std::uint64_t base, std::uint64_t next, bool live = true) {
  HelloStream out;
  out.tenant = TenantId{std::move(tenant)};
  out.incarnation.bytes[0] = static_cast<std::uint8_t>(next);
  out.base = Sequence{base};
  out.next = Sequence{next};
  out.live = live;
  return out;
}

/// A spool in memory, one map of items for each stream.
class FakeSource final : public RecordSource {
 public:
  std::vector<HelloStream> offered;
  std::vector<std::map<std::uint64_t, Item>> held;
  std::vector<std::pair<std::size_t, std::uint64_t>> durable, rejected;
  std::optional<Error> broken;

  void add(HelloStream hello, std::vector<Item> items = {}) {
    offered.push_back(std::move(hello));
    held.emplace_back();
    for (auto& item : items) {
      const auto* record = std::get_if<Record>(&item);
      const auto seq = record != nullptr ? record->seq.get() : std::get<Gap>(item).from.get();
      held.back().emplace(seq, std::move(item));
    }
  }

  std::vector<HelloStream> streams() const override { return offered; }
  Result<std::optional<Item>> read(const HelloStream& of, Sequence from) override {
    if (broken) return fail(*broken);
    const auto& items = held[index(of)];
    const auto found = items.find(from.get());
    return found == items.end() ? std::nullopt : std::optional<Item>{found->second};
  }
  const Labels& series(std::uint32_t id) const override {
    return labels_.try_emplace(id, Labels{{"__name__", "m" + std::to_string(id)}}).first->second;
  }
  Status on_durable(const HelloStream& of, Sequence upto) override {
    durable.emplace_back(index(of), upto.get());
    return {};
  }
  Status reject(const HelloStream& of, Sequence seq) override {
    rejected.emplace_back(index(of), seq.get());
    return {};
  }

 private:
  [[nodiscard]] std::size_t index(const HelloStream& of) const {
    for (std::size_t i = 0; i < offered.size(); ++i)
      if (offered[i] == of) return i;
    throw std::logic_error("a stream that was never offered");
  }
  mutable std::map<std::uint32_t, Labels> labels_;
};

/// Keeps what a collector's session hands on. A series named "refused" is not taken.
class FakePort final : public SessionPort {
 public:
  struct Taken {
    StreamIndex stream = 0;
    Record record;
    std::uint64_t refused = 0;
  };
  Status answer;
  std::optional<Hello> greeted;
  std::vector<Taken> records;
  std::vector<std::pair<StreamIndex, Gap>> gaps;
  std::vector<std::pair<StreamIndex, std::uint64_t>> duplicates;
  std::vector<Labels> known;
  std::vector<MetaEntry> described;

  Status hello(const Hello& hello) override {
    greeted = hello;
    return answer;
  }
  std::uint32_t resolve(StreamIndex, const Labels& labels) override {
    if (labels.name() == "refused") return kRefusedSeries;
    for (std::size_t i = 0; i < known.size(); ++i)
      if (known[i] == labels) return static_cast<std::uint32_t>(i + 100);
    known.push_back(labels);
    return static_cast<std::uint32_t>(known.size() + 99);
  }
  void record(StreamIndex at, Record record, std::uint64_t refused) override {
    records.push_back({at, std::move(record), refused});
  }
  void gap(StreamIndex at, const Gap& gap) override { gaps.emplace_back(at, gap); }
  void duplicate(StreamIndex at, Sequence seq, std::uint32_t) override { duplicates.emplace_back(at, seq.get()); }
  void meta(const Meta& meta) override { described.insert(described.end(), meta.entries.begin(), meta.entries.end()); }
};

inline Buffer bytes_of(const Frame& frame) {
  Buffer out;
  write_frame(frame, out);
  return out;
}

inline std::vector<Frame> frames_in(const Buffer& bytes) {
  FrameReader reader{kMaxFrameBytes};
  reader.push(bytes);
  std::vector<Frame> out;
  while (true) {
    auto frame = reader.next();
    if (!frame) throw std::logic_error(frame.error().what);
    if (!*frame) return out;
    out.push_back(std::move(**frame));
  }
}

template <class T>
std::vector<T> only(const std::vector<Frame>& frames) {
  std::vector<T> out;
  for (const auto& frame : frames)
    if (const auto* wanted = std::get_if<T>(&frame)) out.push_back(*wanted);
  return out;
}

}  // namespace ward::wire
