#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "common/base/parse.hpp"
#include "probes/data/postgres_json.hpp"
#include "probes/data/postgres_readers.hpp"

namespace ward::probes::data {
namespace {

using Twice = ReadingSet::Twice;

void read_standbys(const Json& replication, const std::vector<std::string>& expected, ReadingSet& out) {
  std::set<std::string> streaming;
  for (const auto& row : replication) {
    const auto app = text_at(row, "app");
    const auto state = text_at(row, "state");
    if (state == "streaming") streaming.insert(app);
    const Labels labels{{"application_name", app},
                        {"client_addr", text_at(row, "client_addr")},
                        {"state", state},
                        {"slot_name", text_at(row, "slot_name")}};
    if (const auto lsn = number_at(row, "lsn"))
      out.add("pg_stat_replication_pg_current_wal_lsn_bytes", labels, *lsn, Twice::max);
    if (const auto diff = number_at(row, "diff")) out.add("pg_stat_replication_pg_wal_lsn_diff", labels, *diff, Twice::max);
    struct Lag {
      std::string_view key;
      std::string_view metric;
    };
    constexpr std::array<Lag, 3> kLags{{{"write_lag", "ward_pg_replication_write_lag_seconds"},
                                        {"flush_lag", "ward_pg_replication_flush_lag_seconds"},
                                        {"replay_lag", "ward_pg_replication_replay_lag_seconds"}}};
    // The server shows no lag once a standby has caught up on an idle primary: that is zero, not unknown.
    if (state == "streaming")
      for (const auto& [key, metric] : kLags)
        out.add(metric, {{"application_name", app}, {"sync_state", text_at(row, "sync_state")}},
                number_at(row, key).value_or(0), Twice::max);
  }
  // A dead standby must be 0, not a series that vanished.
  for (const auto& name : expected)
    out.add("ward_pg_replication_connected", {{"application_name", name}}, streaming.contains(name) ? 1 : 0);
}

void read_slots(const Json& slots, ReadingSet& out) {
  for (const auto& row : slots) {
    const auto name = text_at(row, "slot_name");
    const Labels by_database{{"slot_name", name}, {"database", text_at(row, "database")}};
    const Labels by_type{{"slot_name", name}, {"slot_type", text_at(row, "slot_type")}};
    const auto active = number_at(row, "active").value_or(0);
    out.add("pg_replication_slots_active", by_database, active);
    out.add("pg_replication_slots_slot_is_active", by_type, active);
    if (const auto diff = number_at(row, "diff")) out.add("pg_replication_slots_pg_wal_lsn_diff", by_database, *diff);
    if (const auto lsn = number_at(row, "lsn")) out.add("pg_replication_slots_slot_current_wal_lsn", by_type, *lsn);
    if (const auto lsn = number_at(row, "confirmed"))
      out.add("pg_replication_slots_slot_confirmed_flush_lsn", by_type, *lsn);
    if (const auto safe = number_at(row, "safe_wal_size"))
      out.add("pg_replication_slots_safe_wal_size_bytes", by_type, *safe);
    if (const auto status = text_at(row, "wal_status"); !status.empty())
      out.add("pg_replication_slots_wal_status", by_type.with("wal_status", status), 1);
  }
}

void read_receiver(const Json& receiver, ReadingSet& out) {
  const auto status = text_at(receiver, "status");
  out.add("ward_pg_wal_receiver_up", {}, status == "streaming" ? 1 : 0);
  if (!receiver.is_object()) return;
  const Labels labels{{"upstream_host", text_at(receiver, "sender_host")},
                      {"slot_name", text_at(receiver, "slot_name")},
                      {"status", status}};
  for (const auto& column : receiver_view().columns)
    if (const auto value = number_at(receiver, column.column)) out.add(column.metric, labels, *value);
  if (const auto node = text_at(receiver, "upstream_node"); !node.empty())
    out.add("pg_stat_wal_receiver_upstream_node", labels, to_double(node).value_or(0));
}

}  // namespace

void read_replication(const Json& batch, const std::vector<std::string>& expected, ReadingSet& out) {
  const auto replica = number_at(member(batch, "server"), "rec");
  if (replica) out.add("pg_replication_is_replica", {}, *replica);
  const auto& lag = member(batch, "lag");
  if (const auto seconds = number_at(lag, "lag")) {
    out.add("pg_replication_lag_seconds", {}, *seconds);
    out.add("pg_replication_lag", {}, *seconds);  // the name that postgres_mixin's rules ask for
  }
  if (const auto seconds = number_at(lag, "replay")) out.add("pg_replication_last_replay_seconds", {}, *seconds);
  // After a failover the list describes the other server: a replica owes nobody a standby.
  const bool primary = replica.value_or(1) == 0;
  if (batch.contains("replication"))
    read_standbys(member(batch, "replication"), primary ? expected : std::vector<std::string>{}, out);
  read_slots(member(batch, "slots"), out);
  if (replica.value_or(0) > 0 && batch.contains("receiver")) read_receiver(member(batch, "receiver"), out);
}

}  // namespace ward::probes::data
