// Both messages of remote write, made by the protobuf library and by hand.
#include "common/remote_write/write_request.hpp"

#include <gmock/gmock.h>

#include "tests/support/remote_write_body.hpp"

namespace ward::remote_write {
namespace {

using test::body_v1;
using test::body_v2;
using test::SentSeries;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const SentSeries kUp{{{"__name__", "up"}, {"job", "node"}}, {{1'000, 1}, {2'000, 0}}};
const SentSeries kLoad{{{"__name__", "node_load1"}}, {{1'500, 0.25}}};

/// "up{job=node} 1000=1 2000=0; ...", what is left of a request.
std::string text_of(const WriteRequest& request) {
  std::string out;
  for (const auto& series : request.series) {
    out += out.empty() ? "" : "; ";
    for (const auto& [name, value] : request.labels_of(series))
      out += name == "__name__" ? std::string(value) : "," + std::string(name) + "=" + std::string(value);
    for (const auto& sample : request.samples_of(series)) {
      auto number = std::to_string(sample.v);
      number.erase(number.find_last_not_of('0') + 1);
      out += " " + std::to_string(to_ms(sample.t)) + ":" + number;
    }
  }
  return out;
}

class Either : public testing::TestWithParam<Message> {
 protected:
  static std::string body(const std::vector<SentSeries>& series) {
    return GetParam() == Message::v1 ? body_v1(series) : body_v2(series);
  }
  static Result<WriteRequest> read(const std::string& body, const Limits& limits = {}) {
    return decode(GetParam(), body, limits);
  }
};
INSTANTIATE_TEST_SUITE_P(Message, Either, testing::Values(Message::v1, Message::v2),
                         [](const auto& param) { return param.param == Message::v1 ? "V1" : "V2"; });

TEST_P(Either, GivesSeriesWithTheirSamples) {
  const auto bytes = body({kUp, kLoad});
  const auto request = read(bytes);
  ASSERT_TRUE(request) << request.error().what;
  EXPECT_EQ(text_of(*request), "up,job=node 1000:1. 2000:0.; node_load1 1500:0.25");
  EXPECT_THAT(request->refused, IsEmpty());
  EXPECT_THAT(request->first_refused, IsEmpty());
}

TEST_P(Either, KeepsTheBitsOfAStaleMarker) {
  const auto bytes = body({{{{"__name__", "up"}}, {{1, stale_marker()}}}});
  const auto request = read(bytes);
  ASSERT_TRUE(request);
  EXPECT_TRUE(is_stale(request->samples.at(0).v));
}

TEST_P(Either, CountsHistogramsAndExemplarsAndTakesTheSeries) {
  const auto bytes = body({{{{"__name__", "up"}}, {{1, 1}}, 0, 2}, {{{"__name__", "took"}}, {}, 3, 0}});
  const auto request = read(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->histograms, 3U);
  EXPECT_EQ(request->exemplars, 2U);
  EXPECT_THAT(request->refused, IsEmpty());
}

TEST_P(Either, AnEmptyRequestIsGood) {
  const auto request = read(body({}));
  ASSERT_TRUE(request);
  EXPECT_THAT(request->series, IsEmpty());
}

struct Bad {
  std::string_view why;
  Refusal refusal;
  std::vector<std::pair<std::string, std::string>> labels;
};

std::vector<Bad> bad_series() {
  std::vector<std::pair<std::string, std::string>> many{{"__name__", "up"}};
  for (int i = 100; i < 100 + 64; ++i) many.emplace_back("l" + std::to_string(i), "v");
  return {
      {"no labels", Refusal::no_name, {}},
      {"no name", Refusal::no_name, {{"job", "node"}}},
      {"empty name", Refusal::empty_label, {{"", "x"}, {"__name__", "up"}}},
      {"empty metric name", Refusal::no_name, {{"__name__", ""}, {"job", "node"}}},
      {"a label twice", Refusal::duplicate_label, {{"__name__", "up"}, {"job", "a"}, {"job", "b"}}},
      {"not sorted", Refusal::unsorted_labels, {{"job", "node"}, {"__name__", "up"}}},
      {"capitals sort first", Refusal::unsorted_labels, {{"__name__", "up"}, {"a", "1"}, {"Z", "1"}}},
      {"a torn character", Refusal::not_utf8, {{"__name__", "up"}, {"job", "\xC3"}}},
      {"an overlong slash", Refusal::not_utf8, {{"__name__", "up"}, {"job", "\xC0\xAF"}}},
      {"a surrogate in the name", Refusal::not_utf8, {{"__name__", "up"}, {"j\xED\xA0\x80", "x"}}},
      {"65 labels", Refusal::too_many_labels, many},
      {"much text", Refusal::long_labels, {{"__name__", "up"}, {"job", std::string(kMaxLabelText, 'x')}}},
  };
}

TEST_P(Either, RefusesABadSeriesAndTakesThoseAroundIt) {
  for (const auto& bad : bad_series()) {
    const auto bytes = body({kUp, {bad.labels, {{1, 1}, {2, 2}, {3, 3}}}, kLoad});
    const auto request = read(bytes);
    ASSERT_TRUE(request) << bad.why;
    EXPECT_EQ(text_of(*request), "up,job=node 1000:1. 2000:0.; node_load1 1500:0.25") << bad.why;
    const std::map<Refusal, WriteRequest::Refused> expected{{bad.refusal, {1, 3}}};
    EXPECT_EQ(request->refused, expected) << bad.why << ": " << request->first_refused;
    EXPECT_THAT(request->first_refused, HasSubstr("series 2 of the request")) << bad.why;
    EXPECT_THAT(request->first_refused, Not(HasSubstr("xxx"))) << "a value of a label is told";
  }
}

TEST_P(Either, TakesLabelsInAnyLanguage) {
  const auto bytes = body({{{{"__name__", "up"}, {"ort", "M\xC3\xBCnchen \xF0\x9F\x8F\xA5"}}, {{1, 1}}}});
  const auto request = read(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->series.size(), 1U);
}

TEST_P(Either, TakesALabelWithoutAValueForAbsent) {
  const auto bytes = body({{{{"__name__", "up"}, {"a", ""}, {"b", "1"}, {"c", ""}}, {{1, 1}}}, kLoad});
  const auto request = read(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(text_of(*request), "up,b=1 1:1.; node_load1 1500:0.25");
  EXPECT_THAT(request->refused, IsEmpty());
}

TEST_P(Either, RefusesASampleOutsideOfTimeAlone) {
  const auto bytes = body({{{{"__name__", "up"}}, {{1, 1}, {std::numeric_limits<std::int64_t>::max(), 2}, {3, 3}}}});
  const auto request = read(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(text_of(*request), "up 1:1. 3:3.");
  const std::map<Refusal, WriteRequest::Refused> expected{{Refusal::bad_time, {0, 1}}};
  EXPECT_EQ(request->refused, expected);
}

TEST_P(Either, RefusesARequestAboveALimit) {
  const auto bytes = body({kUp, kLoad});
  for (const auto& limits : {Limits{1, 10, 10}, Limits{10, 2, 10}}) {
    const auto request = read(bytes, limits);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code, Errc::overloaded);
  }
  EXPECT_TRUE(read(bytes, Limits{2, 3, 10}));
}

TEST_P(Either, RefusesEveryTornBodyOrTakesWhatIsWholeInIt) {
  const auto bytes = body({kUp, kLoad});
  std::size_t refused = 0;
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    const auto request = read(bytes.substr(0, size));
    refused += request ? 0 : 1;
    if (!request) {
      EXPECT_EQ(request.error().code, Errc::invalid);
    }
  }
  EXPECT_GT(refused, bytes.size() / 2);
}

TEST(WriteRequestV1, ReadsBytesWrittenByHand) {
  // timeseries { labels {__name__="a"} samples {value 1.0, timestamp 300} unknown field 9 }
  const std::string bytes("\x0a\x1f\x0a\x0d\x0a\x08__name__\x12\x01\x61\x12\x0c\x09\0\0\0\0\0\0\xf0\x3f\x10\xac\x02\x48\x07",
                          33);
  const auto request = decode(Message::v1, bytes, {});
  ASSERT_TRUE(request) << request.error().what;
  EXPECT_EQ(text_of(*request), "a 300:1.");
}

TEST(WriteRequestV1, RefusesWhatIsNoProtobuf) {
  for (const auto& bytes : {std::string("\x0a\x7f", 2), std::string("\x0b\x0c", 2), std::string("\x00\x01", 2),
                            std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11)}) {
    const auto request = decode(Message::v1, bytes, {});
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().code, Errc::invalid);
  }
}

TEST(WriteRequestV1, ReadsOverAFieldOfAnotherType) {
  std::string bytes;
  protozero::pbf_writer request(bytes);
  request.add_uint64(1, 5);  // series are messages
  request.add_double(3, 1);
  EXPECT_TRUE(decode(Message::v1, bytes, {}));
}

TEST(WriteRequestV1, ABodyOfTheOtherMessageIsEmpty) {
  const auto bytes = body_v2({kUp});
  const auto request = decode(Message::v1, bytes, {});
  ASSERT_TRUE(request);
  EXPECT_THAT(request->series, IsEmpty());
}

TEST(WriteRequestV1, TellsMetadataOnce) {
  std::string bytes;
  {
    protozero::pbf_writer request(bytes);
    for (int i = 0; i < 2; ++i) {
      protozero::pbf_writer metadata(request, 3);
      metadata.add_enum(1, 5);
      metadata.add_string(2, "took_seconds");
      metadata.add_string(4, std::string(600, 'h') + "\xC3\xBC");
      metadata.add_string(5, "seconds");
    }
  }
  const auto request = decode(Message::v1, bytes, {});
  ASSERT_TRUE(request);
  ASSERT_EQ(request->metadata.size(), 1U);
  const Metadata expected{"took_seconds", MetricType::summary, std::string_view(bytes).substr(bytes.find('h'), kMaxHelp),
                          "seconds"};
  EXPECT_EQ(request->metadata[0], expected);
}

TEST(WriteRequestV2, TellsMetadataOfItsSeries) {
  const auto bytes = body_v2({kUp, kUp});
  const auto request = decode(Message::v2, bytes, {});
  ASSERT_TRUE(request);
  EXPECT_THAT(request->metadata, testing::ElementsAre(Metadata{"up", MetricType::counter, "Help.", ""}));
}

/// A request with the symbols "", "__name__", "up" and these references, packed or one by one.
std::string with_references(const std::vector<std::uint32_t>& references, bool packed, bool table_first = true) {
  std::string bytes;
  protozero::pbf_writer request(bytes);
  const auto table = [&] {
    for (const auto* symbol : {"", "__name__", "up"}) request.add_string(4, symbol);
  };
  if (table_first) table();
  {
    protozero::pbf_writer series(request, 5);
    if (packed)
      series.add_packed_uint32(1, references.begin(), references.end());
    else
      for (const auto reference : references) series.add_uint32(1, reference);
    protozero::pbf_writer sample(series, 2);
    sample.add_int64(2, 7);
  }
  if (!table_first) table();
  return bytes;
}

TEST(WriteRequestV2, ReadsReferencesInEachCodingAndOrder) {
  for (const auto& bytes :
       {with_references({1, 2}, true), with_references({1, 2}, false), with_references({1, 2}, true, false)}) {
    const auto request = decode(Message::v2, bytes, {});
    ASSERT_TRUE(request);
    EXPECT_EQ(text_of(*request), "up 7:0.");
  }
}

TEST(WriteRequestV2, RefusesReferencesToNothing) {
  for (const auto& references : std::vector<std::vector<std::uint32_t>>{{1, 3}, {4'000'000'000, 2}, {1}, {1, 2, 1}}) {
    const auto bytes = with_references(references, true);
    const auto request = decode(Message::v2, bytes, {});
    ASSERT_TRUE(request);
    const std::map<Refusal, WriteRequest::Refused> expected{{Refusal::bad_reference, {1, 1}}};
    EXPECT_EQ(request->refused, expected);
  }
}

TEST(WriteRequestV2, RefusesATableThatDoesNotBeginWithTheEmptyString) {
  std::string bytes;
  protozero::pbf_writer request(bytes);
  request.add_string(4, "up");
  const auto decoded = decode(Message::v2, bytes, {});
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().what, HasSubstr("first symbol"));
}

TEST(WriteRequestV2, RefusesATableAboveItsLimit) {
  const auto bytes = body_v2({kUp});
  const auto request = decode(Message::v2, bytes, Limits{10, 10, 3});
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().code, Errc::overloaded);
}

}  // namespace
}  // namespace ward::remote_write
