#include <algorithm>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/wire/agent_session.hpp"
#include "tests/bench/ingest_load.hpp"

namespace ward::bench {
namespace {

using namespace ward::wire;

/// The spool's place: one live stream, whose records are computed when they are read.
class Generated final : public RecordSource {
 public:
  Generated(const LoadOptions& options, const IngestData& data, std::size_t connection) : data_(data) {
    // Whole targets, as probes have them.
    const auto targets = (options.series + IngestData::kPerTarget - 1) / IngestData::kPerTarget;
    for (auto target = connection; target < targets; target += options.connections)
      for (auto i = target * IngestData::kPerTarget; i < std::min(options.series, (target + 1) * IngestData::kPerTarget);
           ++i)
        series_.push_back(i);
    per_record_ = std::min(options.per_request, kMaxRecordSamples);
    records_a_round_ = (series_.size() + per_record_ - 1) / per_record_;
  }
  void allow_rounds(std::size_t rounds) { allowed_ = rounds * records_a_round_; }
  /// What was sent stays sent; nothing comes after it.
  void end() { allowed_ = read_; }
  [[nodiscard]] bool all_durable() const { return durable_ >= allowed_; }
  /// Of all rounds so far, acknowledged.
  [[nodiscard]] std::uint64_t samples() const {
    return durable_ / records_a_round_ * series_.size() +
           std::min(durable_ % records_a_round_ * per_record_, series_.size());
  }
  [[nodiscard]] std::uint64_t records() const { return durable_; }

  [[nodiscard]] std::vector<HelloStream> streams() const override {
    HelloStream stream;
    stream.tenant = TenantId{"bench"};
    stream.base = stream.next = Sequence{1};
    stream.live = true;
    return {stream};
  }
  Result<std::optional<Item>> read(const HelloStream&, Sequence from) override {
    if (from.get() > allowed_) return std::optional<Item>{};
    read_ = std::max<std::size_t>(read_, from.get());
    const auto round = (from.get() - 1) / records_a_round_;
    const auto first = (from.get() - 1) % records_a_round_ * per_record_;
    Record record;
    record.seq = from;
    record.samples.reserve(per_record_);
    for (auto i = first; i < std::min(first + per_record_, series_.size()); ++i) {
      const auto [time, value] = data_.at(series_[i], round);
      record.samples.push_back({static_cast<std::uint32_t>(i), time, value});
    }
    const auto [least, most] = std::minmax_element(record.samples.begin(), record.samples.end(),
                                                   [](const auto& a, const auto& b) { return a.t < b.t; });
    record.t_min = least->t;
    record.t_max = most->t;
    record.digest = digest(record.samples);
    return std::optional<Item>{std::move(record)};
  }
  [[nodiscard]] const Labels& series(std::uint32_t id) const override { return data_.series()[series_[id]]; }
  Status on_durable(const HelloStream&, Sequence durable) override {
    durable_ = std::max<std::size_t>(durable_, durable.get());
    return {};
  }
  Status reject(const HelloStream&, Sequence) override { give_up("the collector refused a record"); }

 private:
  const IngestData& data_;
  std::vector<std::size_t> series_;
  std::size_t per_record_ = 0;
  std::size_t records_a_round_ = 0;
  std::size_t allowed_ = 0, read_ = 0, durable_ = 0;  // records
};

class Link {
 public:
  Link(const LoadOptions& options, std::size_t connection, Generated& source)
      : socket_(connect_to(options)), session_(session_options(connection), source, std::chrono::steady_clock::now()) {}
  ~Link() { ::close(socket_); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Sends what may be sent, then takes what came.
  void turn() {
    check(session_.pump());
    if (session_.has_output()) {
      const auto bytes = session_.take_output();
      sent_ += bytes.size();
      send_all(socket_, bytes.data(), bytes.size());
      check(session_.pump());
    }
    pollfd waiting{socket_, POLLIN, 0};
    const auto now = std::chrono::steady_clock::now();
    check(session_.tick(now, {}));
    if (::poll(&waiting, 1, session_.has_output() ? 0 : 100) <= 0) return;
    const auto got = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (got <= 0) give_up("the collector closed the connection");
    check(session_.on_bytes(ByteView(buffer_).first(static_cast<std::size_t>(got)), now, {}));
    if (const auto& why = session_.goaway()) give_up("the collector ends the session: " + *why);
  }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  static AgentSession::Options session_options(std::size_t connection) {
    AgentSession::Options options;
    options.agent = AgentId{"bench-" + std::to_string(connection)};
    return options;
  }
  static void check(const Status& status) {
    if (!status) give_up(describe(status.error()));
  }
  int socket_;
  AgentSession session_;
  Buffer buffer_ = Buffer(64 << 10);
  std::uint64_t sent_ = 0;
};

}  // namespace

LoadCounts stream_records(const LoadOptions& options, const IngestData& data, std::size_t connection, Marks& marks) {
  Generated source(options, data, connection);
  Link link(options, connection, source);
  source.allow_rounds(options.warm_rounds);
  while (!source.all_durable()) link.turn();
  marks.meet();
  marks.meet();
  LoadCounts counts;
  const auto samples = source.samples(), records = source.records(), sent = link.sent();
  source.allow_rounds(options.warm_rounds + std::max<std::size_t>(1, options.samples / options.series));
  while (!source.all_durable()) {
    if (marks.over()) source.end();
    link.turn();
  }
  counts.samples = source.samples() - samples;
  counts.requests = source.records() - records;
  counts.sent_bytes = link.sent() - sent;
  return counts;
}

}  // namespace ward::bench
