#include "common/exposition/reader.hpp"

#include <array>
#include <utility>

#include "common/base/parse.hpp"
#include "common/base/utf8.hpp"
#include "common/exposition/number.hpp"

namespace ward::exposition {
namespace {

constexpr std::string_view kMend = "Look at what the exporter serves, and report it to its authors.";

auto refuse(std::string what) { return tl::unexpected<std::string>(std::move(what)); }

struct TypeName {
  std::string_view word;
  MetricType type;
};
constexpr std::array kTextTypes{TypeName{"counter", MetricType::counter}, TypeName{"gauge", MetricType::gauge},
                                TypeName{"histogram", MetricType::histogram}, TypeName{"summary", MetricType::summary},
                                TypeName{"untyped", MetricType::untyped}};
constexpr std::array kOpenMetricsTypes{TypeName{"counter", MetricType::counter},
                                       TypeName{"gauge", MetricType::gauge},
                                       TypeName{"histogram", MetricType::histogram},
                                       TypeName{"summary", MetricType::summary},
                                       TypeName{"info", MetricType::info},
                                       TypeName{"unknown", MetricType::unknown},
                                       TypeName{"gaugehistogram", MetricType::gauge},
                                       TypeName{"stateset", MetricType::gauge}};

template <std::size_t N>
std::optional<MetricType> find_type(const std::array<TypeName, N>& names, std::string_view word) {
  for (const auto& [name, type] : names)
    if (name == word) return type;
  return std::nullopt;
}

}  // namespace

Reader::Reader(std::string_view text, Format format, Limits limits) : rest_(text), format_(format), limits_(limits) {}

std::optional<std::string_view> Reader::take_line() {
  std::string_view line;
  if (!next_line(rest_, line)) return std::nullopt;
  ++line_;
  return line;
}

Result<std::optional<Entry>> Reader::stop(Errc code, std::string what, std::string fix) {
  rest_ = {};
  saw_eof_ = true;  // the end says no more
  return fail(code, "line " + std::to_string(line_) + ": " + std::move(what),
              fix.empty() ? std::string(kMend) : std::move(fix));
}

Result<std::optional<Entry>> Reader::end() {
  if (format_ == Format::text || saw_eof_) return std::optional<Entry>{};
  ++line_;
  return stop(Errc::invalid, "the exposition ends without '# EOF'");
}

Result<std::optional<Entry>> Reader::next() {
  while (const auto text = take_line()) {
    if (text->size() > limits_.line_bytes)
      return stop(Errc::full, "the line is longer than " + std::to_string(limits_.line_bytes) + " bytes");
    if (text->find('\0') != std::string_view::npos) return stop(Errc::invalid, "the line holds a NUL byte");
    auto entry = format_ == Format::text ? text_line(*text) : openmetrics_line(*text);
    if (!entry) return stop(Errc::invalid, std::move(entry.error()));
    if (saw_eof_ && !rest_.empty()) {
      ++line_;
      return stop(Errc::invalid, "something follows '# EOF'");
    }
    if (!*entry) continue;
    if (std::holds_alternative<SampleLine>(**entry) && ++samples_ > limits_.samples)
      return stop(Errc::full, "more than " + std::to_string(limits_.samples) + " samples");
    return std::move(*entry);
  }
  return end();
}

Reader::MaybeEntry Reader::text_line(std::string_view text) {
  Line line(text, Blanks::anywhere);
  line.skip_blanks();
  if (line.at_end()) return std::nullopt;
  if (!line.take('#')) return sample(line);
  if (!line.take_separator()) return std::nullopt;
  const auto keyword = line.word();
  if ((keyword != "HELP" && keyword != "TYPE") || !line.take_separator()) return std::nullopt;  // a comment
  return described(line, keyword);
}

Reader::MaybeEntry Reader::openmetrics_line(std::string_view text) {
  if (text == "# EOF") {
    saw_eof_ = true;
    return std::nullopt;
  }
  Line line(text, Blanks::single);
  if (line.at_end()) return refuse("an empty line");
  if (!line.take('#')) return sample(line);
  if (!line.take_separator()) return refuse("expected a blank after '#', saw " + line.seen());
  const auto keyword = line.word();
  if (keyword != "HELP" && keyword != "TYPE" && keyword != "UNIT")
    return refuse("expected HELP, TYPE, UNIT or EOF after '#', saw " + shown(keyword));
  if (!line.take_separator()) return refuse("expected the name of a metric, saw " + line.seen());
  return described(line, keyword);
}

Reader::MaybeEntry Reader::described(Line& line, std::string_view keyword) {
  auto family = line.metric_name();
  if (!family) return refuse(std::move(family.error()));
  if (!line.at_end() && !line.take_separator())
    return refuse("expected a blank after the name of the metric, saw " + line.seen());
  const auto text = line.rest();
  if (!is_utf8(text)) return refuse("the text of " + std::string(keyword) + " is not valid UTF-8");
  const bool openmetrics = format_ == Format::openmetrics;
  if (keyword == "HELP")
    return Entry(HelpLine{std::move(*family), unescape(text, openmetrics ? Quotes::escaped : Quotes::plain)});
  if (keyword == "UNIT") {
    const auto end = "_" + std::string(text);
    if (!text.empty() && !family->ends_with(end))
      return refuse("the unit " + shown(text) + " is not the end of the name " + shown(*family));
    return Entry(UnitLine{std::move(*family), std::string(text)});
  }
  const auto word = openmetrics ? text : trim(text);
  const auto type = openmetrics ? find_type(kOpenMetricsTypes, word) : find_type(kTextTypes, word);
  if (!type) return refuse(shown(word) + " is no type of a metric");
  type_ = {std::move(*family), *type};
  return Entry(type_);
}

void Reader::spell_bound(Series& series) const {
  const bool buckets = type_.type == MetricType::histogram;
  if ((!buckets && type_.type != MetricType::summary) || !series.metric.starts_with(type_.family)) return;
  for (auto& [name, value] : series.labels)
    if (name == (buckets ? "le" : "quantile")) value = canonical_bound(value);
}

Read<double> Reader::value(Line& line) {
  const auto word = line.word();
  if (word.empty()) return refuse("expected a value, saw " + line.seen());
  const auto number = read_value(word);
  if (!number) return refuse("the value " + shown(word) + " is not a number");
  return *number;
}

Read<Time> Reader::time(Line& line) {
  const auto word = line.word();
  if (word.empty()) return refuse("expected a timestamp, saw " + line.seen());
  const auto at = format_ == Format::text ? read_milliseconds(word) : read_seconds(word);
  if (!at)
    return refuse("the timestamp " + shown(word) + " is not a time in " +
                  (format_ == Format::text ? "milliseconds" : "seconds"));
  return *at;
}

Reader::MaybeEntry Reader::sample(Line& line) {
  SampleLine out;
  auto series = line.series(limits_.labels);
  if (!series) return refuse(std::move(series.error()));
  // After a brace the text format needs no blank.
  const bool braces = format_ == Format::text && line.follows('}');
  if (!line.take_separator() && !braces && !line.at_end())
    return refuse("expected a blank before the value, saw " + line.seen());
  auto number = value(line);
  if (!number) return refuse(std::move(number.error()));
  out.series = std::move(*series);
  spell_bound(out.series);
  out.value = *number;
  const bool openmetrics = format_ == Format::openmetrics;
  if (line.take_separator() && !(openmetrics ? line.peek() == '#' : line.at_end())) {
    auto at = time(line);
    if (!at) return refuse(std::move(at.error()));
    out.time = *at;
    line.take_separator();
  }
  if (openmetrics && line.peek() == '#')
    if (auto good = exemplar(line); !good) return refuse(std::move(good.error()));
  if (!line.at_end()) return refuse("expected the end of the line, saw " + line.seen());
  return Entry(std::move(out));
}

/// "# {trace_id="x"} 0.67 1520879607.789", told by nobody here: a trace is not a measurement.
Read<void> Reader::exemplar(Line& line) {
  if (!line.take("# ") || line.peek() != '{') return refuse("expected '# {' of an exemplar, saw " + line.seen());
  if (auto labels = line.labels(limits_.labels); !labels) return refuse(std::move(labels.error()));
  if (!line.take_separator()) return refuse("expected a blank before the value of the exemplar, saw " + line.seen());
  if (auto number = value(line); !number) return refuse(std::move(number.error()));
  if (!line.take_separator()) return {};
  if (auto at = time(line); !at) return refuse(std::move(at.error()));
  return {};
}

}  // namespace ward::exposition
