// Streams of tenants that the configuration does not name any more: nobody may take them, so nobody would ever acknowledge
// them, and a collector refuses the whole HELLO of an agent that names them.
#include <algorithm>
#include <map>

#include "agent/spool/spool.hpp"

namespace ward::agent {

bool Spool::is_configured(const TenantId& tenant) const {
  return std::find(options_.tenants.begin(), options_.tenants.end(), tenant) != options_.tenants.end();
}

Status Spool::drop_removed_tenants() {
  std::map<TenantId, std::uint64_t> lost;
  std::vector<StreamId> gone;
  std::string drop;
  for (const auto& [id, live] : streams_) {
    if (is_configured(live.info.tenant)) continue;
    const auto which = std::to_string(id);
    const auto held = static_cast<std::int64_t>(std::min(held_by_all(id), live.info.next).get());
    const auto samples =
        db_->scalar("SELECT coalesce(sum(count),0) FROM record WHERE stream=" + which + " AND seq>" + std::to_string(held));
    if (!samples) return fail(samples.error());
    lost[live.info.tenant] += static_cast<std::uint64_t>(*samples);
    gone.push_back(id);
    for (const char* rows : {"record WHERE stream=", "gap WHERE stream=", "cursor WHERE stream=", "stream WHERE id="})
      drop += "DELETE FROM " + std::string(rows) + which + ";";
  }
  if (gone.empty()) return {};
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  if (auto done = db_->run(drop); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  for (const auto id : gone) {
    streams_.erase(id);
    for (auto& [collector, cursors] : cursors_) cursors.erase(id);
  }
  for (const auto& [tenant, samples] : lost) {
    stats_.removed_tenant_samples += samples;
    notices_.push_back({Errc::denied,
                        "the spool held data of tenant '" + tenant.get() +
                            "', which the configuration does not name any more; " + std::to_string(samples) +
                            " samples of it are dropped",
                        "Nothing, if the tenant was removed or renamed on purpose; otherwise put it back for what comes."});
  }
  return {};
}

}  // namespace ward::agent
