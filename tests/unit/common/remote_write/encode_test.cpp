// What is sent reads back as it was, in both versions.
#include "common/remote_write/encode.hpp"

#include <gmock/gmock.h>

#include "common/remote_write/content.hpp"

namespace ward::remote_write {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Labels kUp{{"__name__", "up"}, {"instance", "a"}, {"job", "node"}};
const Labels kCpu{{"__name__", "cpu_seconds_total"}, {"job", "node"}};

std::vector<OutgoingSeries> two_series() {
  return {{&kUp, {{from_ms(1'000), 1}, {from_ms(2'000), stale_marker()}}, {}},
          {&kCpu, {{from_ms(-5), -0.0}}, {{}, MetricType::counter, "Seconds.", "seconds"}}};
}

class EncodedAs : public testing::TestWithParam<Message> {};
INSTANTIATE_TEST_SUITE_P(Versions, EncodedAs, testing::Values(Message::v1, Message::v2));

TEST_P(EncodedAs, ReadsBackToTheBit) {
  const auto series = two_series();
  const auto bytes = unpack(pack(encode(GetParam(), series)), 1 << 20);
  ASSERT_TRUE(bytes);
  const auto read = decode(GetParam(), *bytes, Limits{});
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_TRUE(read->refused.empty());
  ASSERT_EQ(read->series.size(), series.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    std::vector<Label> labels;
    for (const auto& [name, value] : read->labels_of(read->series[i])) labels.emplace_back(name, value);
    EXPECT_EQ(Labels{labels}, *series[i].labels);
    const auto samples = read->samples_of(read->series[i]);
    EXPECT_EQ(std::vector<Sample>(samples.begin(), samples.end()), series[i].samples);
  }
}

TEST(Encode, Tells20MetadataBesideTheSeries) {
  const auto series = two_series();
  const auto bytes = encode(Message::v2, series);
  const auto read = decode(Message::v2, bytes, Limits{});
  ASSERT_TRUE(read);
  EXPECT_THAT(read->metadata, ElementsAre(Metadata{"cpu_seconds_total", MetricType::counter, "Seconds.", "seconds"}));
}

TEST(Encode, Tells10MetadataByItself) {
  const std::vector<Metadata> told{{"up", MetricType::gauge, "Whether it answers.", ""},
                                   {"cpu_seconds_total", MetricType::counter, "Seconds.", "seconds"}};
  const auto bytes = encode_metadata(told);
  const auto read = decode(Message::v1, bytes, Limits{});
  ASSERT_TRUE(read);
  EXPECT_THAT(read->series, IsEmpty());
  EXPECT_EQ(read->metadata, told);
}

TEST_P(EncodedAs, IsKnownByItsContentType) { EXPECT_EQ(message_of(content_type(GetParam()), "snappy").value(), GetParam()); }

}  // namespace
}  // namespace ward::remote_write
