#include "collector/ingest/label_store.hpp"

#include <algorithm>

#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

constexpr char kFirstField = 0x0a;   // of TimeSeries: labels; of Label: name. Length-delimited
constexpr char kSecondField = 0x12;  // of Label: value

std::size_t varint_size(std::size_t n) {
  std::size_t out = 1;
  for (; n >= 0x80; n >>= 7) ++out;
  return out;
}

void append_varint(std::string& out, std::size_t n) {
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(n | 0x80);
  out += static_cast<char>(n);
}

std::size_t take_varint(const char*& at) {
  std::size_t out = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at++);
    out |= static_cast<std::size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return out;
  }
}

}  // namespace

void append_label_bytes(std::string& out, std::string_view name, std::string_view value) {
  const auto size = 2 + varint_size(name.size()) + name.size() + varint_size(value.size()) + value.size();
  out += kFirstField;
  append_varint(out, size);
  out += kFirstField;
  append_varint(out, name.size());
  out += name;
  out += kSecondField;
  append_varint(out, value.size());
  out += value;
}

LabelStore::PairId LabelStore::find(std::string_view wanted) const {
  return index_.find(hash_(wanted, seed_), [&](PairId pair) { return bytes(pair) == wanted; });
}

LabelStore::PairId LabelStore::find(std::string_view name, std::string_view value) const {
  std::string wanted;
  append_label_bytes(wanted, name, value);
  return find(wanted);
}

LabelStore::PairId LabelStore::hold(std::string_view name, std::string_view value) {
  std::string wanted;
  append_label_bytes(wanted, name, value);
  auto pair = find(wanted);
  if (pair == kNone) {
    if (free_.empty()) {
      pair = static_cast<PairId>(pairs_.size());
      pairs_.emplace_back();
    } else {
      pair = free_.back();
      free_.pop_back();
    }
    auto& fresh = pairs_[pair];
    fresh.size = static_cast<std::uint32_t>(wanted.size());
    fresh.bytes = std::make_unique<char[]>(wanted.size());
    std::copy(wanted.begin(), wanted.end(), fresh.bytes.get());
    index_.add(hash_(wanted, seed_), pair);
  }
  ++pairs_[pair].held;
  return pair;
}

void LabelStore::release(PairId pair) {
  WARD_ASSERT(pairs_[pair].held > 0);
  if (--pairs_[pair].held > 0) return;
  index_.remove(hash_(bytes(pair), seed_), pair);
  pairs_[pair] = Pair{};
  free_.push_back(pair);
}

std::pair<std::string_view, std::string_view> LabelStore::texts(PairId pair) const {
  const char* at = pairs_[pair].bytes.get() + 1;
  (void)take_varint(at);
  ++at;
  const auto name_size = take_varint(at);
  const std::string_view name(at, name_size);
  at += name_size + 1;
  const auto value_size = take_varint(at);
  return {name, {at, value_size}};
}

}  // namespace ward::collector
