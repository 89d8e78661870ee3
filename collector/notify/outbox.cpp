#include "collector/notify/outbox.hpp"

#include <algorithm>

#include "common/base/assert.hpp"
#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

bool is_open(const DeliveryRow& row) { return row.state == DeliveryState::pending; }
// Counts as "this receiver has heard, or will".
bool stands(const DeliveryRow& row) { return row.state == DeliveryState::pending || row.state == DeliveryState::delivered; }

}  // namespace

bool Outbox::refuses(const std::string& incident, const std::string& receiver) const {
  // The latest word counts: a receiver that took something after a refusal is well again.
  bool refused = false;
  for (const auto& entry : rows_) {
    if (entry.row.delivery.incident != incident || entry.row.delivery.receiver != receiver) continue;
    if (entry.row.state == DeliveryState::failed_permanent) refused = true;
    if (entry.row.state == DeliveryState::delivered) refused = false;
  }
  return refused;
}

bool Outbox::hears(const std::string& incident, const std::string& receiver) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const Entry& e) {
    return e.row.delivery.incident == incident && e.row.delivery.receiver == receiver && stands(e.row);
  });
}

bool Outbox::owes_end(const std::string& incident, const std::string& receiver) const {
  bool told = false;
  for (const auto& entry : rows_) {
    const auto& d = entry.row.delivery;
    if (d.incident == incident && d.receiver == receiver && stands(entry.row)) told = d.kind != NoticeKind::resolve;
  }
  return told;
}

std::optional<std::string> Outbox::replacement(const std::string& incident, const std::string& receiver) const {
  std::set<std::string> tried{receiver};
  const auto next_of = [&](const std::string& name) {
    const auto at = options_.fallbacks.find(name);
    return at != options_.fallbacks.end() ? at->second : options_.last_resort;
  };
  for (auto next = next_of(receiver); !next.empty() && tried.insert(next).second; next = next_of(next))
    if (!refuses(incident, next)) return next;
  return std::nullopt;
}

std::vector<std::string> Outbox::targets(const Delivery& delivery) const {
  if (delivery.kind != NoticeKind::resolve) {
    if (!refuses(delivery.incident, delivery.receiver)) return {delivery.receiver};
    const auto other = replacement(delivery.incident, delivery.receiver);
    return {other.value_or(delivery.receiver)};
  }
  // The end goes to the receiver if it heard of the beginning, and to all who heard of it in its place. A receiver whose
  // rows are no longer known here (they are kept only while something is to come) gets it too.
  const bool known = std::any_of(rows_.begin(), rows_.end(), [&](const Entry& e) {
    return e.row.delivery.incident == delivery.incident && e.row.delivery.receiver == delivery.receiver;
  });
  std::vector<std::string> out;
  if (!known || owes_end(delivery.incident, delivery.receiver)) out.push_back(delivery.receiver);
  for (const auto& entry : rows_) {
    const auto& d = entry.row.delivery;
    if (d.incident != delivery.incident || entry.row.instead_of != delivery.receiver) continue;
    if (std::find(out.begin(), out.end(), d.receiver) == out.end() && owes_end(d.incident, d.receiver))
      out.push_back(d.receiver);
  }
  return out;
}

std::optional<DeliveryRow> Outbox::redirected(const DeliveryRow& row, const std::string& to, Time now) const {
  DeliveryRow out;
  out.delivery = row.delivery;
  out.delivery.key += "@" + to;
  out.delivery.receiver = to;
  // Over several refusals it stays the receiver that was meant, by which the end finds who heard in its place.
  out.instead_of = row.instead_of.empty() ? row.delivery.receiver : row.instead_of;
  out.updated_at = now;
  if (by_key_.contains(out.delivery.key)) return std::nullopt;
  // The fallback may have its own rows of this incident; then it knows already.
  if (row.delivery.kind == NoticeKind::fire && hears(row.delivery.incident, to)) return std::nullopt;
  return out;
}

std::vector<DeliveryRow> Outbox::plan(std::span<const Delivery> deliveries, Time now) {
  std::vector<DeliveryRow> out;
  for (const auto& delivery : deliveries) {
    for (const auto& target : targets(delivery)) {
      std::optional<DeliveryRow> row = DeliveryRow{.delivery = delivery, .error = "", .instead_of = "", .updated_at = now};
      if (target != delivery.receiver) row = redirected(*row, target, now);
      if (!row || by_key_.contains(row->delivery.key)) continue;
      out.push_back(*row);
      put(std::move(*row));
    }
  }
  return out;
}

void Outbox::put(DeliveryRow row) {
  auto key = row.delivery.key;
  rows_.push_back({.row = std::move(row)});
  by_key_[std::move(key)] = std::prev(rows_.end());
}

void Outbox::accept(std::span<const DeliveryRow> rows) {
  std::set<std::string> incidents;
  for (const auto& row : rows) {
    if (!by_key_.contains(row.delivery.key)) put(row);
    by_key_.at(row.delivery.key)->committed = true;
    incidents.insert(row.delivery.incident);
  }
  for (const auto& incident : incidents) drop_finished(incident);
}

std::vector<Delivery> Outbox::due(MonoTime now) {
  std::vector<Delivery> out;
  std::set<std::string> busy;
  for (const auto& entry : rows_)
    if (entry.sending) busy.insert(entry.row.delivery.receiver);
  std::set<std::pair<std::string, std::string>> blocked;  // (incident, receiver) with an older row still open
  for (auto& entry : rows_) {
    const auto& d = entry.row.delivery;
    if (!is_open(entry.row)) continue;
    const bool first = blocked.insert({d.incident, d.receiver}).second;
    if (!first || !entry.committed || entry.not_before > now || !busy.insert(d.receiver).second) continue;
    entry.sending = true;
    out.push_back(d);
  }
  return out;
}

Outbox::Change Outbox::on_result(const std::string& key, const SendOutcome& outcome, MonoTime mono, Time now) {
  Change change;
  const auto at = by_key_.find(key);
  WARD_ASSERT(at != by_key_.end() && at->second->sending);
  auto& entry = *at->second;
  entry.sending = false;
  entry.refused_by_all = false;
  entry.row.attempts += 1;
  entry.row.error = outcome.error;
  entry.row.updated_at = now;
  const auto incident = entry.row.delivery.incident;
  switch (outcome.kind) {
    case SendOutcome::Kind::delivered:
      entry.row.state = DeliveryState::delivered;
      ++stats_.delivered;
      change.updates.push_back(entry.row);
      break;
    case SendOutcome::Kind::retry:
      entry.not_before = mono + wait_before(entry.row.attempts, outcome.retry_after);
      ++stats_.retries;
      change.updates.push_back(entry.row);
      break;
    case SendOutcome::Kind::refused: refuse(entry, change, mono, now); break;
  }
  drop_finished(incident);
  return change;
}

void Outbox::refuse(Entry& entry, Change& change, MonoTime mono, Time now) {
  ++stats_.refused;
  const auto to = replacement(entry.row.delivery.incident, entry.row.delivery.receiver);
  if (to || may_give_up(entry.row, now)) {
    entry.row.state = DeliveryState::failed_permanent;
  } else {
    entry.refused_by_all = true;
    entry.not_before = mono + options_.longest_wait;
  }
  change.updates.push_back(entry.row);
  if (to) hand_over(entry, *to, change, now);
}

// Without an end a receiver that will never take one message would keep it, and the alarm about it, for ever.
bool Outbox::may_give_up(const DeliveryRow& row, Time now) const {
  const auto last = std::find_if(rows_.rbegin(), rows_.rend(),
                                 [&](const Entry& e) { return e.row.delivery.incident == row.delivery.incident; });
  const bool ended = last != rows_.rend() && last->row.delivery.kind == NoticeKind::resolve;
  // The end of what has begun again must not stand before the new page.
  if (!ended) return row.delivery.kind == NoticeKind::resolve;
  return now - row.delivery.created_at >= options_.keep_refused;
}

// The refused row and everything that queues behind it move to the fallback, in their order.
void Outbox::hand_over(Entry& entry, const std::string& to, Change& change, Time now) {
  const auto incident = entry.row.delivery.incident;
  const auto receiver = entry.row.delivery.receiver;
  const bool heard_before = std::any_of(rows_.begin(), rows_.end(), [&](const Entry& e) {
    return e.row.delivery.incident == incident && e.row.delivery.receiver == receiver &&
           e.row.state == DeliveryState::delivered;
  });
  const bool fallback_knows = hears(incident, to);
  const auto move = [&](const DeliveryRow& row) {
    // With rows of its own, the fallback gets its own end too.
    if (row.delivery.kind == NoticeKind::resolve && fallback_knows) return;
    if (auto moved = redirected(row, to, now)) change.added.push_back(std::move(*moved));
  };
  move(entry.row);
  for (auto& other : rows_) {
    const auto& d = other.row.delivery;
    if (d.incident != incident || d.receiver != receiver || !is_open(other.row) || other.sending) continue;
    move(other.row);
    // A receiver that heard of the beginning keeps its own row of the end.
    if (d.kind == NoticeKind::resolve && heard_before) continue;
    other.row.state = DeliveryState::superseded;
    other.row.updated_at = now;
    change.updates.push_back(other.row);
  }
  stats_.redirected += change.added.size();
  for (const auto& row : change.added) put(row);
}

milliseconds Outbox::wait_before(std::uint32_t attempts, milliseconds wish) {
  const auto doublings = std::min<std::uint32_t>(attempts - 1, 20);
  const auto bound = std::min(options_.longest_wait, options_.first_wait * (std::int64_t{1} << doublings));
  const milliseconds jittered{static_cast<std::int64_t>(random_.unit() * static_cast<double>(bound.count()))};
  // A tenth at least, so that a lucky zero does not spin.
  return std::max({jittered, bound / 10, std::min(wish, options_.longest_retry_after)});
}

void Outbox::drop_finished(const std::string& incident) {
  const Entry* last = nullptr;
  for (const auto& entry : rows_) {
    if (entry.row.delivery.incident != incident) continue;
    if (is_open(entry.row)) return;
    last = &entry;
  }
  if (last == nullptr || last->row.delivery.kind != NoticeKind::resolve) return;
  for (auto at = rows_.begin(); at != rows_.end();) {
    if (at->row.delivery.incident == incident) {
      by_key_.erase(at->row.delivery.key);
      at = rows_.erase(at);
    } else {
      ++at;
    }
  }
}

std::optional<MonoTime> Outbox::next_wake(MonoTime now) const {
  std::optional<MonoTime> at;
  for (const auto& entry : rows_) {
    if (!is_open(entry.row) || entry.sending || entry.not_before <= now) continue;
    if (!at || entry.not_before < *at) at = entry.not_before;
  }
  return at;
}

std::optional<Time> Outbox::oldest_pending() const {
  std::optional<Time> at;
  for (const auto& entry : rows_) {
    const bool refused_end = entry.refused_by_all && entry.row.delivery.kind == NoticeKind::resolve;
    if (!is_open(entry.row) || refused_end) continue;
    if (!at || entry.row.delivery.created_at < *at) at = entry.row.delivery.created_at;
  }
  return at;
}

std::size_t Outbox::pending() const {
  return static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), [](const Entry& e) { return is_open(e.row); }));
}

OutboxStats Outbox::stats() const {
  auto out = stats_;
  out.undeliverable = undeliverable();
  return out;
}

std::size_t Outbox::undeliverable() const {
  return static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), [](const Entry& e) {
    return is_open(e.row) && e.refused_by_all && e.row.delivery.kind != NoticeKind::resolve;
  }));
}

SendOutcome judge_status(int status, std::string_view retry_after) {
  using Kind = SendOutcome::Kind;
  if (status >= 200 && status < 300) return {};
  const auto said = "the receiver answered HTTP " + std::to_string(status);
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    SendOutcome out{.kind = Kind::retry, .retry_after = milliseconds{0}, .error = said};
    // The date form of Retry-After would tie the wait to two wall clocks; our own waits serve as well.
    if (const auto seconds = to_u64(trim(retry_after)); seconds)
      out.retry_after = std::chrono::seconds{std::min<std::uint64_t>(*seconds, 86'400)};
    return out;
  }
  if (status >= 300 && status < 400)
    return {.kind = Kind::refused, .retry_after = {}, .error = said + ", a redirect, which is not followed"};
  return {.kind = Kind::refused, .retry_after = {}, .error = said};
}

}  // namespace ward::collector
