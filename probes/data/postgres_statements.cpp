#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <tuple>

#include "probes/data/postgres_json.hpp"
#include "probes/data/postgres_readers.hpp"

namespace ward::probes::data {
namespace {

/// The LIMIT of statements_sql().
constexpr std::size_t kMostRows = 5000;
/// Upper bounds in seconds as label values; the last is +Inf.
struct Bound {
  double seconds;
  std::string_view le;
};
constexpr std::array<Bound, 10> kBounds{{{0.001, "0.001"},
                                         {0.005, "0.005"},
                                         {0.01, "0.01"},
                                         {0.05, "0.05"},
                                         {0.1, "0.1"},
                                         {0.5, "0.5"},
                                         {1, "1"},
                                         {5, "5"},
                                         {10, "10"},
                                         {0, "+Inf"}}};

std::size_t bucket_of(double seconds) {
  for (std::size_t i = 0; i + 1 < kBounds.size(); ++i)
    if (seconds <= kBounds[i].seconds) return i;
  return kBounds.size() - 1;
}

double at(const Json& row, std::size_t i) { return row[i].is_number() ? row[i].get<double>() : 0; }

}  // namespace

void StatementTotals::read(const Json& answer) {
  static_assert(kBounds.size() == kBuckets);
  if (const auto deallocs = number_at(answer, "dealloc")) deallocs_ = deallocs;
  decltype(last_) now;
  for (const auto& row : member(answer, "rows")) {
    constexpr std::size_t kColumns = 8;
    if (!row.is_array() || row.size() != kColumns || !row[0].is_string() || !row[1].is_string() || !row[2].is_string())
      continue;
    const auto datname = row[0].get<std::string>();
    const auto user = row[1].get<std::string>();
    const Seen seen{at(row, 3), at(row, 4), at(row, 5), at(row, 6), at(row, 7)};
    const auto key = std::make_tuple(datname, user, row[2].get<std::string>());
    const auto before = last_.find(key);
    now.emplace(key, seen);
    if (!primed_) continue;
    // A smaller count means that the entry was evicted or reset meanwhile: all of it is new.
    const Seen old = before != last_.end() && before->second.calls <= seen.calls ? before->second : Seen{};
    const double calls = seen.calls - old.calls;
    if (calls <= 0) continue;
    const double ms = std::max(0.0, seen.ms - old.ms);
    auto& total = totals_[{datname, user}];
    total.calls += calls;
    total.ms += ms;
    total.rows += std::max(0.0, seen.rows - old.rows);
    total.read_ms += std::max(0.0, seen.read_ms - old.read_ms);
    total.write_ms += std::max(0.0, seen.write_ms - old.write_ms);
    auto& histogram = histograms_[datname];
    histogram.counts[bucket_of(ms / 1000 / calls)] += calls;
    histogram.sum_seconds += ms / 1000;
    histogram.calls += calls;
  }
  // A cut list loses rare statements for a while; forgetting them would count them twice.
  if (now.size() < kMostRows || last_.size() > 4 * kMostRows)
    last_ = std::move(now);
  else
    for (auto& [key, seen] : now) last_.insert_or_assign(key, seen);
  primed_ = true;
}

void StatementTotals::emit(ReadingSet& out) const {
  if (deallocs_) out.add("ward_pg_statements_dealloc_total", {}, *deallocs_);
  for (const auto& [key, total] : totals_) {
    const Labels labels{{"datname", key.first}, {"user", key.second}};
    out.add("pg_stat_statements_calls_total", labels, total.calls);
    out.add("pg_stat_statements_seconds_total", labels, total.ms / 1000);
    out.add("pg_stat_statements_rows_total", labels, total.rows);
    out.add("pg_stat_statements_block_read_seconds_total", labels, total.read_ms / 1000);
    out.add("pg_stat_statements_block_write_seconds_total", labels, total.write_ms / 1000);
  }
  for (const auto& [datname, histogram] : histograms_) {
    double cumulative = 0;
    for (std::size_t i = 0; i < kBounds.size(); ++i) {
      cumulative += histogram.counts[i];
      out.add("ward_pg_query_seconds_bucket", {{"datname", datname}, {"le", std::string(kBounds[i].le)}}, cumulative);
    }
    out.add("ward_pg_query_seconds_sum", {{"datname", datname}}, histogram.sum_seconds);
    out.add("ward_pg_query_seconds_count", {{"datname", datname}}, histogram.calls);
  }
}

}  // namespace ward::probes::data
