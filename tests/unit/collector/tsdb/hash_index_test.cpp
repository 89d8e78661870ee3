#include "collector/tsdb/hash_index.hpp"

#include <gtest/gtest.h>
#include <map>
#include <random>

namespace ward::collector {
namespace {

TEST(HashIndex, FindsWhatWasAddedAndForgetsWhatWasRemoved) {
  // Few hashes, so that runs of places grow long and wrap around; every answer is compared with a map's.
  HashIndex index;
  std::map<SeriesRef, std::uint64_t> known;
  std::mt19937_64 random{20'261'122};
  for (std::uint32_t n = 1; n <= 4000; ++n) {
    const SeriesRef ref{n};
    const std::uint64_t hash = random() % 97;
    index.add(hash, ref);
    known[ref] = hash;
    if (n % 3 == 0) {
      const auto gone = std::next(known.begin(), static_cast<std::ptrdiff_t>(random() % known.size()));
      index.remove(gone->second, gone->first);
      EXPECT_EQ(index.find(gone->second, [&](SeriesRef r) { return r == gone->first; }), SeriesRef{});
      known.erase(gone);
    }
  }
  for (const auto& [ref, hash] : known) EXPECT_EQ(index.find(hash, [&, r = ref](SeriesRef o) { return o == r; }), ref);
}

TEST(HashIndex, IsEmptyAtFirst) {
  HashIndex index;
  EXPECT_EQ(index.find(5, [](SeriesRef) { return true; }), SeriesRef{});
  index.remove(5, SeriesRef{1});
}

}  // namespace
}  // namespace ward::collector
