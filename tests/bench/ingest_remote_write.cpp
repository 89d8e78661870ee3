#include <algorithm>
#include <cstring>
#include <protozero/pbf_writer.hpp>
#include <snappy.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/ingest_load.hpp"

namespace ward::bench {
namespace {

/// A request's protobuf with room for the samples: between two rounds nothing else of it changes.
class Template {
 public:
  Template(const IngestData& data, std::vector<std::size_t> series) : series_(std::move(series)) {
    for (const auto number : series_) {
      {
        protozero::pbf_writer request(body_);
        protozero::pbf_writer series_writer(request, 1);
        for (const auto& [name, value] : data.series()[number]) {
          protozero::pbf_writer label(series_writer, 1);
          label.add_string(1, name);
          label.add_string(2, value);
        }
        protozero::pbf_writer sample(series_writer, 2);
        sample.add_double(1, 0);
        sample.add_int64(2, kTimeOfThisSize);
      }
      ends_.push_back(body_.size());
    }
  }
  /// Compressed, with the head of the request.
  std::string fill(const IngestData& data, std::size_t round) {
    for (std::size_t i = 0; i < series_.size(); ++i) {
      const auto [time, value] = data.at(series_[i], round);
      char* at = body_.data() + ends_[i] - kTimeBytes;
      std::memcpy(at - 1 - sizeof value, &value, sizeof value);
      auto left = static_cast<std::uint64_t>(to_ms(time));
      for (std::size_t b = 0; b < kTimeBytes; ++b, left >>= 7)
        at[b] = static_cast<char>((left & 0x7f) | (b + 1 < kTimeBytes ? 0x80U : 0U));
    }
    std::string packed;
    snappy::Compress(body_.data(), body_.size(), &packed);
    return "POST /api/v1/write HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Prometheus/2.42.0\r\nContent-Length: " +
           std::to_string(packed.size()) +
           "\r\nContent-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\n"
           "X-Prometheus-Remote-Write-Version: 0.1.0\r\n\r\n" +
           packed;
  }
  [[nodiscard]] std::size_t samples() const { return series_.size(); }

 private:
  static constexpr std::int64_t kTimeOfThisSize = 1'795'380'000'000;
  static constexpr std::size_t kTimeBytes = 6;  // of a varint, from 2004 to 2109
  std::vector<std::size_t> series_;
  std::string body_;
  std::vector<std::size_t> ends_;
};

/// Sends and waits for the 204.
void ask(int socket, const std::string& request) {
  send_all(socket, request.data(), request.size());
  std::string answer;
  while (answer.find("\r\n\r\n") == std::string::npos) {
    char piece[1024];
    const auto got = ::recv(socket, piece, sizeof piece, 0);
    if (got <= 0) give_up("the server closed the connection");
    answer.append(piece, static_cast<std::size_t>(got));
  }
  if (!answer.starts_with("HTTP/1.1 204")) give_up("the server answered: " + answer);
}

}  // namespace

LoadCounts write_remotely(const LoadOptions& options, const IngestData& data, std::size_t connection, Marks& marks) {
  std::vector<Template> templates;
  std::vector<std::size_t> series;
  for (std::size_t i = connection; i < options.series; i += options.connections) {
    series.push_back(i);
    if (series.size() < options.per_request && i + options.connections < options.series) continue;
    templates.emplace_back(data, std::exchange(series, {}));
  }
  // All bodies beforehand: what the sender computes while it is measured, the server lacks.
  std::vector<std::string> requests;
  const auto rounds = options.warm_rounds + std::max<std::size_t>(1, options.samples / options.series);
  for (std::size_t round = 0; round < rounds; ++round)
    for (auto& each : templates) requests.push_back(each.fill(data, round));
  const int socket = connect_to(options);
  const auto warm = options.warm_rounds * templates.size();
  for (std::size_t i = 0; i < warm; ++i) ask(socket, requests[i]);
  marks.meet();
  marks.meet();
  LoadCounts counts;
  for (std::size_t i = warm; i < requests.size() && !marks.over(); ++i) {
    ask(socket, requests[i]);
    counts.samples += templates[i % templates.size()].samples();
    counts.sent_bytes += requests[i].size();
    ++counts.requests;
  }
  ::close(socket);
  return counts;
}

}  // namespace ward::bench
