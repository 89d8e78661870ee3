// What is written by the rules of the format is read as it was meant, whatever names and values hold.
#include <gtest/gtest.h>
#include <random>

#include "tests/unit/common/exposition/reading.hpp"

namespace ward::exposition {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out + '"';
}

struct Dice {
  std::mt19937_64 engine{20260801};  // fixed: a failure comes again
  std::size_t below(std::size_t bound) { return engine() % bound; }
  std::string text() {
    static const std::vector<std::string> pieces{"a", "\\", "\"", "\n",  " ",        "{",  "}",
                                                 ",", "=",  "#",  "\\n", "\xc3\xa9", "\t", "1"};
    std::string out;
    for (auto n = below(8); n > 0; --n) out += pieces[below(pieces.size())];
    return out;
  }
  SampleLine sample() {
    SampleLine made;
    made.series.metric = "m" + text();
    for (auto n = below(5); n > 0; --n) made.series.labels.emplace_back(std::string(n, 'l') + text(), text());
    std::sort(made.series.labels.begin(), made.series.labels.end());
    made.value = static_cast<double>(engine()) / static_cast<double>(engine() | 1U);
    if (below(2) == 0) made.time = from_ms(static_cast<std::int64_t>(below(2'000'000'000'000)));
    return made;
  }
};

std::string written(const SampleLine& sample, Format format) {
  std::string out = "{" + quoted(sample.series.metric);
  for (const auto& [name, value] : sample.series.labels) out += "," + quoted(name) + "=" + quoted(value);
  char number[64];
  std::snprintf(number, sizeof number, "%.17g", sample.value);
  out += "} " + std::string(number);
  if (sample.time) {
    const auto ms = to_ms(*sample.time);
    std::snprintf(number, sizeof number, "%lld.%03lld", static_cast<long long>(ms / 1000),
                  static_cast<long long>(ms % 1000));
    out += " " + (format == Format::text ? std::to_string(ms) : std::string(number));
  }
  return out + "\n";
}

void round_trip(Format format) {
  Dice dice;
  for (int i = 0; i < 3'000; ++i) {
    const auto sample = dice.sample();
    auto body = written(sample, format);
    if (format == Format::openmetrics) body += "# EOF\n";
    const auto whole = read(body, format);
    ASSERT_EQ(whole.error, "") << body;
    ASSERT_EQ(whole.samples(), std::vector{sample}) << body;
  }
}

TEST(RoundTrip, HoldsInTheTextFormat) { round_trip(Format::text); }
TEST(RoundTrip, HoldsInOpenMetrics) { round_trip(Format::openmetrics); }

}  // namespace
}  // namespace ward::exposition
