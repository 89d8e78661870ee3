#pragma once
#include <cstdint>
#include <initializer_list>
#include <protozero/pbf_writer.hpp>
#include <snappy.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ward::test {

/// Bodies of remote write requests, made by the protobuf library: what a sender sends.
struct SentSeries {
  std::vector<std::pair<std::string, std::string>> labels;  ///< as given, in order or not
  std::vector<std::pair<std::int64_t, double>> samples;     ///< ms and value
  int histograms = 0;
  int exemplars = 0;
};

inline std::string packed(std::string_view body) {
  std::string out;
  snappy::Compress(body.data(), body.size(), &out);
  return out;
}

inline void add_samples(protozero::pbf_writer& series, const SentSeries& sent, std::uint32_t histogram_field,
                        std::uint32_t exemplar_field) {
  for (const auto& [time, value] : sent.samples) {
    protozero::pbf_writer sample(series, 2);
    sample.add_double(1, value);
    sample.add_int64(2, time);
  }
  for (int i = 0; i < sent.histograms; ++i) {
    protozero::pbf_writer histogram(series, histogram_field);
    histogram.add_uint64(1, 5);
    histogram.add_int64(15, 1'000);
  }
  for (int i = 0; i < sent.exemplars; ++i) {
    protozero::pbf_writer exemplar(series, exemplar_field);
    exemplar.add_double(2, 1.5);
    exemplar.add_int64(3, 1'000);
  }
}

/// prometheus.WriteRequest, not compressed.
inline std::string body_v1(const std::vector<SentSeries>& all) {
  std::string out;
  protozero::pbf_writer request(out);
  for (const auto& sent : all) {
    protozero::pbf_writer series(request, 1);
    for (const auto& [name, value] : sent.labels) {
      protozero::pbf_writer label(series, 1);
      label.add_string(1, name);
      label.add_string(2, value);
    }
    add_samples(series, sent, 4, 3);
  }
  return out;
}

/// io.prometheus.write.v2.Request, not compressed; every series is a counter with the help text "Help."
inline std::string body_v2(const std::vector<SentSeries>& all) {
  std::vector<std::string> symbols{"", "Help."};
  const auto reference = [&](const std::string& text) {
    for (std::size_t i = 0; i < symbols.size(); ++i)
      if (symbols[i] == text) return static_cast<std::uint32_t>(i);
    symbols.push_back(text);
    return static_cast<std::uint32_t>(symbols.size() - 1);
  };
  std::vector<std::vector<std::uint32_t>> references;
  for (const auto& sent : all) {
    auto& of_series = references.emplace_back();
    for (const auto& [name, value] : sent.labels) {
      of_series.push_back(reference(name));
      of_series.push_back(reference(value));
    }
  }
  std::string out;
  protozero::pbf_writer request(out);
  for (const auto& symbol : symbols) request.add_string(4, symbol);
  for (std::size_t i = 0; i < all.size(); ++i) {
    protozero::pbf_writer series(request, 5);
    series.add_packed_uint32(1, references[i].begin(), references[i].end());
    add_samples(series, all[i], 3, 4);
    {
      protozero::pbf_writer metadata(series, 5);
      metadata.add_enum(1, 1);
      metadata.add_uint32(3, 1);
    }
    series.add_int64(6, 12);
  }
  return out;
}

}  // namespace ward::test
