#include "collector/ingest/label_store.hpp"

#include <gmock/gmock.h>

#include "common/base/hash.hpp"

namespace ward::collector {
namespace {

using testing::Pair;

std::uint64_t always_seven(std::string_view /*bytes*/, std::uint64_t /*seed*/) { return 7; }

TEST(LabelStore, HoldsAPairOnceAndGivesItsTextsBack) {
  LabelStore store(hash_bytes, 1);
  const std::string text(300, 'v');
  const auto pair = store.hold("name", text);
  EXPECT_NE(pair, LabelStore::kNone);
  EXPECT_EQ(store.hold("name", text), pair);
  EXPECT_EQ(store.find("name", text), pair);
  EXPECT_THAT(store.texts(pair), Pair("name", text));
  EXPECT_EQ(store.size(), 1U);
}

TEST(LabelStore, APairGoesWithItsLastHolderAndItsNumberIsGivenAgain) {
  LabelStore store(hash_bytes, 1);
  const auto pair = store.hold("a", "b");
  (void)store.hold("a", "b");
  store.release(pair);
  EXPECT_EQ(store.find("a", "b"), pair);
  store.release(pair);
  EXPECT_EQ(store.find("a", "b"), LabelStore::kNone);
  EXPECT_EQ(store.size(), 0U);
  EXPECT_EQ(store.hold("c", "d"), pair);
  EXPECT_EQ(store.find("a", "b"), LabelStore::kNone);
}

TEST(LabelStore, TellsPairsOfOneHashApart) {
  LabelStore store(always_seven, 1);
  const auto first = store.hold("a", "bc");
  const auto second = store.hold("ab", "c");
  EXPECT_NE(first, second);
  EXPECT_EQ(store.find("a", "bc"), first);
  EXPECT_EQ(store.find("ab", "c"), second);
  store.release(first);
  EXPECT_EQ(store.find("ab", "c"), second);
}

TEST(LabelStore, ComparesEveryByteOfAPairWhateverItsSize) {
  LabelStore store(hash_bytes, 1);
  for (std::size_t size = 1; size < 40; ++size) {
    const auto pair = store.hold("n", std::string(size, 'v'));
    const std::string bytes(store.bytes(pair));
    EXPECT_TRUE(store.begins(bytes, pair));
    EXPECT_TRUE(store.begins(bytes + "more", pair));
    EXPECT_FALSE(store.begins(std::string_view(bytes).substr(0, bytes.size() - 1), pair));
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      auto other = bytes;
      other[at] = static_cast<char>(other[at] ^ 1);
      EXPECT_FALSE(store.begins(other, pair)) << size << " " << at;
    }
  }
}

TEST(HashBytes, DiffersWithEveryByteAndWithTheSeed) {
  const std::string text(70, 'x');
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto bytes = std::string_view(text).substr(0, size);
    EXPECT_NE(hash_bytes(bytes, 1), hash_bytes(bytes, 2));
    EXPECT_NE(hash_bytes(bytes, 1), hash_bytes(std::string_view(text).substr(0, size + 1), 1));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other(bytes);
      other[at] = 'y';
      EXPECT_NE(hash_bytes(bytes, 1), hash_bytes(other, 1));
    }
  }
}

}  // namespace
}  // namespace ward::collector
