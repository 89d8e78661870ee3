// Probe redis: liveness, memory, clients, persistence, replication, commands and latency of one Redis server.
// Source: one INFO everything, SLOWLOG LEN and LATENCY LATEST a run over one kept connection; never CONFIG, CLIENT LIST or
//   SLOWLOG GET, whose answers hold secrets and arguments.
// Emits: the redis_* names of redis_exporter and ward_redis_persistence_enabled (see redis_info.cpp).
// Errors: connect_refused, connect_timeout, connect_failed, timeout, loading (redis_up 0); probe_refused, auth, tls_*,
//   dns_* (no redis_up: the server may be well); permission (a part is left out and named in ward_probe_part_missing).
#include <array>
#include <map>
#include <utility>

#include "probes/data/redis_connection.hpp"
#include "probes/data/redis_info.hpp"

namespace ward::probes {
namespace data {
namespace {

using Replies = std::vector<RedisReply>;

constexpr std::array<std::string_view, 3> kParts{"INFO", "SLOWLOG LEN", "LATENCY LATEST"};

class RedisProbe final : public Probe {
 public:
  explicit RedisProbe(RedisOptions options) : options_(std::move(options)), connection_(options_) {}
  async::Task<ProbeOutput> collect(Host& host) override;
  [[nodiscard]] Readings on_deadline() const override { return {{"redis_up", {}, 0}}; }

 private:
  async::Task<RedisResult<Replies>> ask(async::BlockingPool* pool);
  async::Task<RedisResult<Replies>> ask_once();
  void read(const Replies& replies, Time now, ReadingSet& out, std::optional<ProbeFailure>& failure);
  static void fail_run(const RedisFailure& failure, ReadingSet& out, std::optional<ProbeFailure>& into);

  RedisOptions options_;
  RedisConnection connection_;
  DropCounts drops_;
};

void RedisProbe::fail_run(const RedisFailure& failure, ReadingSet& out, std::optional<ProbeFailure>& into) {
  if (failure.down) out.add("redis_up", {}, 0);
  into = ProbeFailure{failure.reason, failure.error};
}

async::Task<RedisResult<Replies>> RedisProbe::ask_once() {
  std::vector<std::vector<std::string>> commands{{"INFO", "everything"}, {"SLOWLOG", "LEN"}, {"LATENCY", "LATEST"}};
  auto replies = co_await connection_.exchange(std::move(commands));
  if (!replies || replies->front().kind != RedisReply::Kind::text) co_return replies;
  if (!RedisInfo(replies->front().text).get("redis_version").empty()) co_return replies;
  // Redis before 6 does not know "everything" and answers with nothing.
  std::vector<std::vector<std::string>> older{{"INFO", "all"}};
  auto info = co_await connection_.exchange(std::move(older));
  if (!info) co_return info;
  replies->front() = std::move(info->front());
  co_return replies;
}

async::Task<RedisResult<Replies>> RedisProbe::ask(async::BlockingPool* pool) {
  if (connection_.open()) {
    auto replies = co_await ask_once();
    // A connection kept since the last run may have died of a restart or a firewall: that says nothing about now. But
    // whoever did not answer in time is not asked twice.
    if (replies || !replies.error().connection_lost || replies.error().reason == FailureReason::timeout) co_return replies;
  }
  auto connected = co_await connection_.connect(pool);
  if (!connected) co_return tl::unexpected(std::move(connected.error()));
  auto replies = co_await ask_once();
  co_return replies;
}

void RedisProbe::read(const Replies& replies, Time now, ReadingSet& out, std::optional<ProbeFailure>& failure) {
  using Kind = RedisReply::Kind;
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    if (replies[i].kind != Kind::error) continue;
    const auto refusal = redis_refusal(replies[i].text, kParts[i], options_);
    out.add("ward_probe_part_missing",
            {{"part", std::string(kParts[i])}, {"reason", std::string(to_string(refusal.reason))}}, 1);
    // Without INFO there is nothing to report; the others are optional.
    if (i != 0) continue;
    fail_run(refusal, out, failure);
    if (refusal.reason == FailureReason::permission) out.add("redis_up", {}, 1);
  }
  if (replies[0].kind == Kind::text) {
    const RedisInfo info(replies[0].text);
    if (info.loading()) {
      fail_run(redis_refusal("LOADING", kParts[0], options_), out, failure);
    } else {
      out.add("redis_up", {}, 1);
    }
    read_redis_info(info, out);
    if (options_.expect_persistence)
      if (const auto proven = persistence_proven(info, now, options_.persistence_max_age))
        out.add("ward_redis_persistence_enabled", {}, *proven ? 1 : 0);
  }
  if (replies[1].kind == Kind::integer) out.add("redis_slowlog_length", {}, static_cast<double>(replies[1].integer));
  if (replies[2].kind == Kind::list) read_redis_latency(replies[2], out);
}

async::Task<ProbeOutput> RedisProbe::collect(Host& host) {
  ProbeOutput output;
  ReadingSet set(drops_);
  const auto replies = co_await ask(&host.blocking());
  if (replies)
    read(*replies, host.clock().wall(), set, output.failure);
  else
    fail_run(replies.error(), set, output.failure);
  if (output.failure && output.failure->reason == FailureReason::auth) connection_.close();
  Labels error;
  if (output.failure) error.set("err", to_string(output.failure->reason));
  set.add("redis_exporter_last_scrape_error", error, output.failure ? 1 : 0);
  output.readings = set.take();
  co_return output;
}

std::unique_ptr<Probe> make_redis(config::Section& target) {
  auto options = read_redis_options(target);
  if (!options) return nullptr;
  return std::make_unique<RedisProbe>(std::move(*options));
}

}  // namespace
}  // namespace data

ProbeKind redis_probe();
ProbeKind redis_probe() {
  ProbeKind kind;
  kind.name = "redis";
  kind.job = "redis";
  kind.interval = std::chrono::seconds{10};
  kind.deadline = std::chrono::seconds{8};
  kind.data_class = DataClass::sli;
  kind.metrics = data::redis_metrics();
  kind.make = data::make_redis;
  return kind;
}

}  // namespace ward::probes
