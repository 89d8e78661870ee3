#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"
#include "probes/data/reading_set.hpp"
#include "probes/data/redis_reply.hpp"

namespace ward::probes::data {

/// One INFO answer, indexed by field. Views into the text: it must outlive this.
class RedisInfo {
 public:
  /// Lines that are not "field:value" are skipped: a module's oddities must not cost the rest.
  explicit RedisInfo(std::string_view text);
  /// "" when absent.
  [[nodiscard]] std::string_view get(std::string_view field) const;
  [[nodiscard]] std::optional<double> number(std::string_view field) const;
  using Field = std::pair<std::string_view, std::string_view>;
  /// All fields that start so, in the server's order.
  [[nodiscard]] std::vector<Field> starting(std::string_view prefix) const;
  [[nodiscard]] bool loading() const { return number("loading").value_or(0) > 0; }

 private:
  std::vector<Field> fields_;
};

/// Under the names of redis_exporter.
void read_redis_info(const RedisInfo& info, ReadingSet& out);
/// LATENCY LATEST: [event, unix time, latest ms, worst ms].
void read_redis_latency(const RedisReply& latest, ReadingSet& out);
/// Whether the data set would survive a restart, as far as INFO proves it: true with AOF or with a snapshot since the
/// start; false when changes wait for a snapshot longer than `max_age`; nullopt while neither is proven.
std::optional<bool> persistence_proven(const RedisInfo& info, Time now, milliseconds max_age);

/// Every metric of probe redis.
std::span<const MetricMeta> redis_metrics();

}  // namespace ward::probes::data
