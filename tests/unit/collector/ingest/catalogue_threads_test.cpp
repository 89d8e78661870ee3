// Requests look series up while others make, retire and erase them. ThreadSanitizer runs it too.
#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "collector/ingest/catalogue.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kSeries = 40;

struct Numbered {
  std::string number;
  std::string bytes;
  explicit Numbered(std::size_t n) : number(std::to_string(n)) {
    append_label_bytes(bytes, "__name__", "m");
    append_label_bytes(bytes, "n", number);
  }
};

TEST(CatalogueThreads, ALeasedNumberIsThatOfItsSeriesWhateverOthersDo) {
  Catalogue catalogue{{}};
  const TenantId tenant{"clinic-a"};
  const AgentId agent{"remote_write"};
  std::vector<Numbered> all;
  for (std::size_t n = 0; n < kSeries; ++n) all.emplace_back(n);
  std::atomic<bool> stop{false};
  std::atomic<int> found{0};
  const auto request = [&](std::size_t seed) {
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < kSeries; ++i) bytes.emplace_back(all[(i * 7 + seed) % kSeries].bytes);
    std::vector<SeriesId> ids(kSeries);
    const auto lease = catalogue.lease();
    catalogue.find(tenant, bytes, ids);
    for (std::size_t i = 0; i < kSeries; ++i) {
      const auto& number = all[(i * 7 + seed) % kSeries].number;
      const LabelView labels[] = {{"__name__", "m"}, {"n", number}};
      if (ids[i] == Catalogue::kUnknown)
        ids[i] = catalogue.resolve_leased(tenant, agent, labels);
      else
        ++found;
    }
    for (std::size_t i = 0; i < kSeries; ++i)
      ASSERT_EQ(catalogue.labels(ids[i]).get("n"), all[(i * 7 + seed) % kSeries].number);
  };
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 300; ++i) request(t * 11 + i);
    });
  threads.emplace_back([&] {
    for (SeriesId id = 0; !stop; id = (id + 1) % 200) {
      catalogue.retire(std::vector{id, id + 3});
      catalogue.erase(catalogue.unused());
      (void)catalogue.take_new();
      std::this_thread::yield();
    }
  });
  for (std::size_t t = 0; t < 3; ++t) threads[t].join();
  stop = true;
  threads.back().join();
  EXPECT_GT(found, 0);
  EXPECT_LE(catalogue.size(), kSeries);
}

}  // namespace
}  // namespace ward::collector
