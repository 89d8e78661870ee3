#include "collector/tsdb/series.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace ward::collector {
namespace {

bool earlier(const Sample& a, const Sample& b) { return a.t < b.t; }

bool before(const Sample& s, Time t) { return s.t < t; }

std::optional<Sample> find_in(std::span<const std::uint8_t> bytes, Time t) {
  std::array<Sample, kChunkSamples> samples;
  const auto end = samples.begin() + static_cast<std::ptrdiff_t>(decode_into(bytes, samples).count);
  const auto at = std::lower_bound(samples.begin(), end, t, before);
  return at != end && at->t == t ? std::optional{*at} : std::nullopt;
}

SeriesSamples::Outcome same_time(const Sample& old, const Sample& s) {
  return old == s ? SeriesSamples::Outcome::duplicate : SeriesSamples::Outcome::conflicting;
}

void read_chunk(std::span<const std::uint8_t> bytes, Time from, Time to, std::vector<Sample>& out) {
  std::array<Sample, kChunkSamples> samples;
  const auto end = samples.begin() + static_cast<std::ptrdiff_t>(decode_into(bytes, samples).count);
  const auto first = std::lower_bound(samples.begin(), end, from, before);
  const auto last = std::upper_bound(first, end, to, [](Time t, const Sample& s) { return t < s.t; });
  out.insert(out.end(), first, last);
}

/// Chunks overlap where late samples came: then their samples, those from `base` on, are put in order.
void sort_by_time(std::vector<Sample>& samples, std::size_t base) {
  const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(base);
  const auto not_later = [](const Sample& a, const Sample& b) { return a.t >= b.t; };
  if (std::adjacent_find(begin, samples.end(), not_later) == samples.end()) return;
  std::stable_sort(begin, samples.end(), earlier);
  const auto same = [](const Sample& a, const Sample& b) { return a.t == b.t; };
  samples.erase(std::unique(begin, samples.end(), same), samples.end());
}

/// True when `t` lies more than `age` before `newest`; safe for the extremes of time.
bool older_than(Time t, Time newest, milliseconds age) {
  std::int64_t behind = 0;
  return __builtin_sub_overflow(to_ms(newest), to_ms(t), &behind) || behind > age.count();
}

}  // namespace

std::vector<Sample> SeriesSnapshot::read(Time from, Time to) const {
  std::vector<Sample> out;
  std::uint32_t at = 0;
  for (const auto end : ends_) {
    read_chunk(std::span{bytes_}.subspan(at, end - at), from, to, out);
    at = end;
  }
  for (const auto& s : late_)
    if (s.t >= from && s.t <= to) out.push_back(s);
  sort_by_time(out, 0);
  return out;
}

SeriesSamples::Outcome SeriesSamples::append(Sample s, milliseconds max_age) {
  if (!empty() && s.t <= last_.t) {
    if (s.t == last_.t) return same_time(last_, s);
    if (max_age.count() != 0 && older_than(s.t, last_.t, max_age)) return Outcome::too_old;
    return insert_late(s);
  }
  open_.append(s);
  last_ = s;
  if (open_.full()) close_open();
  return Outcome::appended;
}

const Sample* SeriesSamples::find_late(Time t) const {
  if (!late_) return nullptr;
  const auto it = std::lower_bound(late_->begin(), late_->end(), Sample{t, 0}, earlier);
  return it != late_->end() && it->t == t ? &*it : nullptr;
}

SeriesSamples::Outcome SeriesSamples::insert_late(Sample s) {
  if (const auto* old = find_late(s.t)) return same_time(*old, s);
  for (const auto& c : chunks_) {
    if (s.t < c.t_min || s.t > c.t_max) continue;
    if (const auto old = find_in(c.bytes(), s.t)) return same_time(*old, s);
  }
  if (!open_.empty() && s.t >= open_.first_time())
    if (const auto old = find_in(open_.bytes(), s.t)) return same_time(*old, s);
  if (!late_) late_ = std::make_unique<std::vector<Sample>>();
  late_->insert(std::upper_bound(late_->begin(), late_->end(), s, earlier), s);
  if (late_->size() >= kChunkSamples) close_late();
  return Outcome::late;
}

void SeriesSamples::store(std::span<const std::uint8_t> bytes, Time t_min, Time t_max, std::size_t count) {
  StoredChunk chunk{t_min,
                    t_max,
                    std::make_unique_for_overwrite<std::uint8_t[]>(bytes.size()),
                    static_cast<std::uint32_t>(bytes.size()),
                    static_cast<std::uint16_t>(count),
                    Keep::fresh};
  std::copy(bytes.begin(), bytes.end(), chunk.data.get());
  const auto at =
      std::upper_bound(chunks_.begin(), chunks_.end(), t_min, [](Time t, const StoredChunk& c) { return t < c.t_min; });
  insert(at, std::move(chunk));
}

void SeriesSamples::insert(std::vector<StoredChunk>::iterator at, StoredChunk chunk) {
  late_chunks_ = late_chunks_ || (at != chunks_.begin() && (at - 1)->t_max >= chunk.t_min) ||
                 (at != chunks_.end() && at->t_min <= chunk.t_max);
  const auto n = at - chunks_.begin();
  if (chunks_.size() == chunks_.capacity()) chunks_.reserve(chunks_.size() + 1 + chunks_.size() / 4);  // doubling wastes
  chunks_.insert(chunks_.begin() + n, std::move(chunk));
}

void SeriesSamples::close_open() {
  if (open_.empty()) return;
  store(open_.bytes(), open_.first_time(), open_.last_time(), open_.size());
  open_.clear();
}

void SeriesSamples::close_late() {
  if (!late_) return;
  store(encode_chunk(*late_), late_->front().t, late_->back().t, late_->size());
  late_.reset();
}

SeriesSnapshot SeriesSamples::snapshot(Time from, Time to) const {
  SeriesSnapshot out;
  for (const auto& c : chunks_) {
    if (c.t_min > to) break;
    if (c.t_max >= from) out.add(c.bytes());
  }
  if (!open_.empty() && open_.first_time() <= to && open_.last_time() >= from) out.add(open_.bytes());
  if (late_)
    for (const auto& s : *late_)
      if (s.t >= from && s.t <= to) out.add(s);
  return out;
}

std::size_t SeriesSamples::first_chunk(Time from) const {
  // Queries mostly ask for what is new: look from the end.
  auto n = chunks_.size();
  while (n > 0 && chunks_[n - 1].t_max >= from) --n;
  return n;
}

void SeriesSamples::prefetch_bytes(Time from, Time to) const {
  constexpr std::size_t kLine = 64;
  const auto ask = [](std::span<const std::uint8_t> bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += kLine) __builtin_prefetch(bytes.data() + at);
  };
  if (const auto n = first_chunk(from); n < chunks_.size() && chunks_[n].t_min <= to) ask(chunks_[n].bytes());
  if (!open_.empty()) ask(open_.bytes());
}

void SeriesSamples::read(Time from, Time to, std::vector<Sample>& out) const {
  const auto base = out.size();
  auto newest = from;
  bool overlap = false;
  const auto add = [&](std::span<const std::uint8_t> bytes, Time first, Time last) {
    overlap = overlap || (out.size() != base && first <= newest);
    newest = std::max(newest, last);
    read_chunk(bytes, from, to, out);
  };
  // Late samples make chunks that end before older ones: first_chunk() is right only where ends rise with starts.
  for (auto n = late_chunks_ ? 0 : first_chunk(from); n < chunks_.size(); ++n) {
    const auto& c = chunks_[n];
    if (c.t_min > to) break;
    if (c.t_max >= from) add(c.bytes(), c.t_min, c.t_max);
  }
  if (!open_.empty() && open_.first_time() <= to && open_.last_time() >= from)
    add(open_.bytes(), open_.first_time(), open_.last_time());
  if (late_) {
    overlap = true;
    for (const auto& s : *late_)
      if (s.t >= from && s.t <= to) out.push_back(s);
  }
  if (overlap) sort_by_time(out, base);
}

void SeriesSamples::close() {
  close_open();
  close_late();
}

bool SeriesSamples::has_unkept() const {
  return std::any_of(chunks_.begin(), chunks_.end(), [](const StoredChunk& c) { return c.keep != Keep::kept; });
}

void SeriesSamples::take_unkept(const std::function<void(const StoredChunk&)>& take) {
  for (auto& c : chunks_) {
    if (c.keep == Keep::kept) continue;
    c.keep = Keep::taken;
    take(c);
  }
}

void SeriesSamples::settle(bool kept) {
  for (auto& c : chunks_)
    if (c.keep == Keep::taken) c.keep = kept ? Keep::kept : Keep::fresh;
}

void SeriesSamples::load(StoredChunk chunk, Sample newest) {
  if (empty() || newest.t > last_.t) last_ = newest;
  const auto at = std::upper_bound(chunks_.begin(), chunks_.end(), chunk.t_min,
                                   [](Time t, const StoredChunk& c) { return t < c.t_min; });
  insert(at, std::move(chunk));
}

void SeriesSamples::release(Time t) {
  const auto gone = [t](const StoredChunk& c) { return c.keep == Keep::kept && c.t_max < t; };
  if (std::erase_if(chunks_, gone) == 0) return;
  chunks_.shrink_to_fit();
  late_chunks_ = false;
  for (std::size_t n = 1; n < chunks_.size(); ++n) late_chunks_ = late_chunks_ || chunks_[n - 1].t_max >= chunks_[n].t_min;
}

void SeriesSamples::drop_before(Time t) {
  std::erase_if(chunks_, [t](const StoredChunk& c) { return c.t_max < t; });
  if (chunks_.capacity() > 2 * chunks_.size() + 4) chunks_.shrink_to_fit();
  if (!open_.empty() && open_.last_time() < t) open_.clear();
  if (late_ && late_->back().t < t) late_.reset();
}

SeriesSamples::Size SeriesSamples::size() const {
  Size size;
  for (const auto& c : chunks_) {
    ++size.chunks;
    size.samples += c.count;
    size.bytes += c.size;
  }
  if (!open_.empty()) ++size.chunks;
  size.samples += open_.size();
  size.bytes += open_.bytes().size();
  if (late_) {
    ++size.chunks;
    size.samples += late_->size();
    size.bytes += late_->size() * sizeof(Sample);
  }
  return size;
}

}  // namespace ward::collector
