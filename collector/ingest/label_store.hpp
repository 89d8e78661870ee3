#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/hash_index.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// Appends a label as a TimeSeries of remote write 1.0 has it: a request's labels are looked up by the bytes that came.
/// Source: https://prometheus.io/docs/specs/prw/remote_write_spec/#protocol
void append_label_bytes(std::string& out, std::string_view name, std::string_view value);

/// Every label pair of many series once, as those bytes. A pair lives as long as somebody holds it. Thread: not safe, its
/// owner guards it.
class LabelStore {
 public:
  using PairId = std::uint32_t;
  static constexpr PairId kNone = 0;  ///< no pair has it
  /// 64 bits of bytes and a seed.
  using Hash = std::uint64_t (*)(std::string_view bytes, std::uint64_t seed);
  LabelStore(Hash hash, std::uint64_t seed) : hash_(hash), seed_(seed) {}

  /// Finds or makes the pair and holds it once more.
  PairId hold(std::string_view name, std::string_view value);
  void release(PairId pair);
  [[nodiscard]] PairId find(std::string_view name, std::string_view value) const;
  [[nodiscard]] std::string_view bytes(PairId pair) const { return {pairs_[pair].bytes.get(), pairs_[pair].size}; }
  /// Whether the text begins with the pair's bytes.
  [[nodiscard]] bool begins(std::string_view text, PairId pair) const {
    const auto& [at, size, held] = pairs_[pair];
    if (text.size() < size) return false;
    // No pair has fewer than eight bytes. The last eight may overlap those before.
    std::uint64_t differs = 0;
    for (std::size_t i = 0; i + kWord < size; i += kWord) differs |= word(text.data() + i) ^ word(at.get() + i);
    return (differs | (word(text.data() + size - kWord) ^ word(at.get() + size - kWord))) == 0;
  }
  [[nodiscard]] std::size_t size_of(PairId pair) const { return pairs_[pair].size; }
  /// Name and value; they point into the store.
  [[nodiscard]] std::pair<std::string_view, std::string_view> texts(PairId pair) const;
  [[nodiscard]] std::size_t size() const { return pairs_.size() - 1 - free_.size(); }

 private:
  struct Pair {
    std::unique_ptr<char[]> bytes;
    std::uint32_t size = 0;
    std::uint32_t held = 0;
  };
  [[nodiscard]] PairId find(std::string_view bytes) const;
  static constexpr std::size_t kWord = sizeof(std::uint64_t);
  static std::uint64_t word(const char* at) {
    std::uint64_t out = 0;
    std::memcpy(&out, at, kWord);
    return out;
  }

  Hash hash_;
  std::uint64_t seed_;
  std::vector<Pair> pairs_ = std::vector<Pair>(1);  // by number
  std::vector<PairId> free_;
  ward::HashIndex<PairId> index_;
};

}  // namespace ward::collector
