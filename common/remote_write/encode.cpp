#include "common/remote_write/encode.hpp"

#include <protozero/pbf_writer.hpp>
#include <string_view>
#include <unordered_map>

namespace ward::remote_write {
namespace {

using protozero::pbf_writer;

std::int32_t number_of(MetricType type) {
  switch (type) {
    case MetricType::counter: return 1;
    case MetricType::gauge: return 2;
    case MetricType::histogram: return 3;
    case MetricType::summary: return 5;
    case MetricType::info: return 6;
    case MetricType::unknown:
    case MetricType::untyped: break;
  }
  return 0;
}

/// Field 2 of a series in both versions.
void add_samples(pbf_writer& series, std::span<const Sample> samples) {
  for (const auto& [t, v] : samples) {
    pbf_writer sample(series, 2);
    sample.add_double(1, v);
    sample.add_int64(2, to_ms(t));
  }
}

std::string encode_v1(std::span<const OutgoingSeries> all) {
  std::string out;
  pbf_writer request(out);
  for (const auto& one : all) {
    pbf_writer series(request, 1);
    for (const auto& [name, value] : *one.labels) {
      pbf_writer label(series, 1);
      label.add_string(1, name);
      label.add_string(2, value);
    }
    add_samples(series, one.samples);
  }
  return out;
}

/// The strings of a 2.0 request, each once; the first is the empty one. They point into the series.
class Symbols {
 public:
  std::uint32_t reference(std::string_view text) {
    const auto [at, fresh] = numbers_.emplace(text, static_cast<std::uint32_t>(texts_.size()));
    if (fresh) texts_.push_back(text);
    return at->second;
  }
  [[nodiscard]] const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  std::vector<std::string_view> texts_{std::string_view{}};
  std::unordered_map<std::string_view, std::uint32_t> numbers_{{std::string_view{}, 0}};
};

std::string encode_v2(std::span<const OutgoingSeries> all) {
  Symbols symbols;
  std::string body;
  pbf_writer request(body);
  std::vector<std::uint32_t> references;
  for (const auto& one : all) {
    references.clear();
    for (const auto& [name, value] : *one.labels) {
      references.push_back(symbols.reference(name));
      references.push_back(symbols.reference(value));
    }
    pbf_writer series(request, 5);
    series.add_packed_uint32(1, references.begin(), references.end());
    add_samples(series, one.samples);
    pbf_writer metadata(series, 5);
    metadata.add_enum(1, number_of(one.metadata.type));
    metadata.add_uint32(3, symbols.reference(one.metadata.help));
    metadata.add_uint32(4, symbols.reference(one.metadata.unit));
  }
  std::string out;
  pbf_writer table(out);
  for (const auto text : symbols.texts()) table.add_string(4, text.data() != nullptr ? text.data() : "", text.size());
  return out + body;
}

}  // namespace

std::string encode(Message message, std::span<const OutgoingSeries> series) {
  switch (message) {
    case Message::v1: return encode_v1(series);
    case Message::v2: return encode_v2(series);
  }
  return {};
}

std::string encode_metadata(std::span<const Metadata> metadata) {
  std::string out;
  pbf_writer request(out);
  for (const auto& told : metadata) {
    pbf_writer entry(request, 3);
    entry.add_enum(1, number_of(told.type));
    entry.add_string(2, told.metric.data(), told.metric.size());
    if (!told.help.empty()) entry.add_string(4, told.help.data(), told.help.size());
    if (!told.unit.empty()) entry.add_string(5, told.unit.data(), told.unit.size());
  }
  return out;
}

}  // namespace ward::remote_write
