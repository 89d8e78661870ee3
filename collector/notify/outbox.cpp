#include "collector/notify/outbox.hpp"

#include <algorithm>

#include "collector/event/json.hpp"
#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

/// What wakes nobody: a receiver that does not want it may well take pages.
bool is_news(NoticeKind kind) { return kind == NoticeKind::update || kind == NoticeKind::acknowledge; }
bool is_open(const DeliveryRow& row) { return row.state == DeliveryState::pending; }
// Counts as "this receiver has heard, or will".
bool stands(const DeliveryRow& row) { return row.state == DeliveryState::pending || row.state == DeliveryState::delivered; }

// Whether it may wake somebody. What cannot be read is taken for a page: it is told once too often, not once too rarely.
bool is_page(const DeliveryRow& row) {
  const auto notice = notice_from_json(row.delivery.body);
  return !notice || notice->incident.cls >= AlertClass::urgent;
}

}  // namespace

bool Outbox::refuses(const std::string& incident, const std::string& receiver) const {
  // The latest word counts: a receiver that took something after a refusal is well again.
  bool refused = false;
  for (const auto& entry : rows_) {
    if (entry.row.delivery.incident != incident || entry.row.delivery.receiver != receiver) continue;
    if (entry.row.state == DeliveryState::failed_permanent && !is_news(entry.row.delivery.kind)) refused = true;
    if (entry.row.state == DeliveryState::delivered) refused = false;
  }
  return refused;
}

bool Outbox::knows(const std::string& receiver, const DeliveryRow& row) const {
  // Places in the list count, not times: an incident may end and begin again within one tick.
  bool told = false;
  bool passed = false;
  for (const auto& entry : rows_) {
    const auto& d = entry.row.delivery;
    if (d.key == row.delivery.key) passed = true;
    if (d.incident != row.delivery.incident || d.receiver != receiver || !stands(entry.row)) continue;
    if (passed && d.kind != NoticeKind::resolve) return true;
    if (!passed) told = d.kind != NoticeKind::resolve;
  }
  return told;
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
  if (calls_for_action(delivery.kind)) {
    if (!refuses(delivery.incident, delivery.receiver)) return {delivery.receiver};
    const auto other = replacement(delivery.incident, delivery.receiver);
    return {other.value_or(delivery.receiver)};
  }
  // The end, and an acknowledgement, goes to the receiver if it heard of the beginning, and to all who heard of it in its
  // place. A receiver whose rows are no longer known here (they are kept only while something is to come) gets it too.
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
  if (row.delivery.kind == NoticeKind::fire && knows(to, row)) return std::nullopt;
  return out;
}

/// Two planted mistakes: both take one message for another of the same incident and receiver. Never in a release.
bool Outbox::replaced_by_mistake(const Delivery& delivery) {
  bool replaced = false;
  if (!planted(Planted::update_replaces_page) && !planted(Planted::page_in_flight_counts)) return replaced;
  for (auto& entry : rows_) {
    const auto& d = entry.row.delivery;
    if (d.incident != delivery.incident || d.receiver != delivery.receiver || !is_open(entry.row)) continue;
    if (planted(Planted::update_replaces_page) && is_news(delivery.kind) && !entry.sending)
      entry.row.state = DeliveryState::superseded;
    if (planted(Planted::page_in_flight_counts) && delivery.kind == NoticeKind::escalate && entry.sending) replaced = true;
  }
  return replaced;
}

std::vector<DeliveryRow> Outbox::plan(std::span<const Delivery> deliveries, Time now) {
  std::vector<DeliveryRow> out;
  for (const auto& delivery : deliveries) {
    if (replaced_by_mistake(delivery)) continue;
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

/// Per incident and receiver, the place (from 1) of the last open row that is no news.
std::map<std::pair<std::string, std::string>, std::size_t> Outbox::last_open_words() const {
  std::map<std::pair<std::string, std::string>, std::size_t> out;
  std::size_t place = 0;
  for (const auto& entry : rows_) {
    ++place;
    const auto& d = entry.row.delivery;
    if (is_open(entry.row) && !is_news(d.kind)) out[{d.incident, d.receiver}] = place;
  }
  return out;
}

std::vector<Delivery> Outbox::due(MonoTime now) {
  std::vector<Delivery> out;
  std::set<std::string> busy;
  for (const auto& entry : rows_)
    if (entry.sending) busy.insert(entry.row.delivery.receiver);
  const auto last_word = last_open_words();
  std::set<std::pair<std::string, std::string>> blocked;  // (incident, receiver) with an older row still open
  std::size_t place = 0;
  for (auto& entry : rows_) {
    const auto& d = entry.row.delivery;
    ++place;
    if (!is_open(entry.row)) continue;
    const std::pair pair{d.incident, d.receiver};
    // News wakes nobody: it holds back nothing that may, and behind that it is old.
    const auto last = last_word.find(pair);
    if (is_news(d.kind) && last != last_word.end() && last->second > place) continue;
    const bool first = blocked.insert(pair).second;
    if (!first || !entry.committed || entry.not_before > now || !busy.insert(d.receiver).second) continue;
    entry.sending = true;
    out.push_back(d);
  }
  if (options_.refresh.empty()) return out;
  for (auto* entry : last_words()) {
    const auto& d = entry->row.delivery;
    const bool repeats = entry->row.state == DeliveryState::delivered && d.kind != NoticeKind::resolve && !entry->sending &&
                         options_.refresh.contains(d.receiver);
    if (!repeats || entry->not_before > now || !busy.insert(d.receiver).second) continue;
    entry->sending = true;
    out.push_back(d);
  }
  return out;
}

// What each receiver was told last of each incident, or will be. An acknowledgement takes nothing back.
std::vector<Outbox::Entry*> Outbox::last_words() {
  std::map<std::pair<std::string_view, std::string_view>, Entry*> last;
  for (auto& entry : rows_) {
    const auto& d = entry.row.delivery;
    if (stands(entry.row) && d.kind != NoticeKind::acknowledge) last[{d.incident, d.receiver}] = &entry;
  }
  std::vector<Entry*> out;
  out.reserve(last.size());
  for (const auto& [pair, entry] : last) out.push_back(entry);
  return out;
}

std::vector<DeliveryRow> Outbox::overdue(MonoTime mono, Time now) {
  std::vector<DeliveryRow> out;
  if (options_.second_channel_after.count() == 0) return out;
  for (auto at = rows_.begin(); at != rows_.end(); ++at) {
    if (at->doubled || !at->committed || !is_open(at->row) || !calls_for_action(at->row.delivery.kind)) continue;
    if (!at->waits_since) at->waits_since = mono;
    if (!is_overdue(*at, mono, now)) continue;
    at->doubled = true;
    // What has ended meanwhile wakes nobody any more.
    const bool over =
        !planted(Planted::second_channel_after_end) && std::any_of(std::next(at), rows_.end(), [&](const Entry& later) {
          const auto& d = later.row.delivery;
          return d.incident == at->row.delivery.incident && d.receiver == at->row.delivery.receiver &&
                 d.kind == NoticeKind::resolve;
        });
    if (over || !is_page(at->row)) continue;
    if (auto row = second(at->row, now)) out.push_back(std::move(*row));
  }
  for (const auto& row : out) put(row);
  stats_.doubled += out.size();
  return out;
}

bool Outbox::is_overdue(const Entry& entry, MonoTime mono, Time now) const {
  const auto limit = options_.second_channel_after;
  if (mono - *entry.waits_since >= limit) return true;
  // A restart does not begin the wait anew, but gives the receiver its chance. A row in another's place has that one's
  // birth.
  const auto& row = entry.row;
  return row.instead_of.empty() && row.attempts > 0 && now - row.delivery.created_at >= limit;
}

std::optional<DeliveryRow> Outbox::second(const DeliveryRow& row, Time now) const {
  const auto& d = row.delivery;
  const auto to = replacement(d.incident, d.receiver);
  if (!to) return std::nullopt;
  // It may have been told the same on its own account.
  const bool told = std::any_of(rows_.begin(), rows_.end(), [&](const Entry& e) {
    const auto& other = e.row.delivery;
    return other.incident == d.incident && other.receiver == *to && other.kind == d.kind && stands(e.row) &&
           other.created_at >= d.created_at;
  });
  return told ? std::nullopt : redirected(row, *to, now);
}

Outbox::Attempt Outbox::attempt_of(const std::string& key) const {
  Attempt out;
  const auto at = by_key_.find(key);
  if (at == by_key_.end()) return out;
  const auto& row = at->second->row;
  out.number = row.attempts + 1;
  for (const auto& entry : rows_) {
    const auto& d = entry.row.delivery;
    const bool same = d.incident == row.delivery.incident && d.receiver == row.delivery.receiver;
    if (same && !entry.row.remembered.empty()) out.remembered = entry.row.remembered;
  }
  return out;
}

milliseconds Outbox::refresh_of(const std::string& receiver) const {
  const auto at = options_.refresh.find(receiver);
  return at == options_.refresh.end() ? milliseconds{0} : at->second;
}

void Outbox::on_repetition(Entry& entry, const SendOutcome& outcome, MonoTime mono) {
  const auto every = refresh_of(entry.row.delivery.receiver);
  const bool taken = outcome.kind == SendOutcome::Kind::delivered;
  if (!taken) ++stats_.unrefreshed;
  entry.not_before =
      mono + (taken ? every : std::max(every / 4, std::min(outcome.retry_after, options_.longest_retry_after)));
}

Outbox::Change Outbox::on_result(const std::string& key, const SendOutcome& outcome, MonoTime mono, Time now) {
  Change change;
  const auto at = by_key_.find(key);
  WARD_ASSERT(at != by_key_.end() && at->second->sending);
  auto& entry = *at->second;
  entry.sending = false;
  if (entry.row.state == DeliveryState::delivered) {
    on_repetition(entry, outcome, mono);
    drop_finished(std::string(entry.row.delivery.incident));
    return change;
  }
  entry.refused_by_all = false;
  entry.row.attempts += 1;
  entry.row.error = outcome.error;
  if (outcome.remembered) entry.row.remembered = *outcome.remembered;
  entry.row.updated_at = now;
  const auto incident = entry.row.delivery.incident;
  switch (outcome.kind) {
    case SendOutcome::Kind::delivered:
      entry.row.state = DeliveryState::delivered;
      entry.not_before = mono + refresh_of(entry.row.delivery.receiver);
      ++stats_.delivered;
      change.updates.push_back(entry.row);
      supersede_news(entry, change, now);
      break;
    case SendOutcome::Kind::retry:
      entry.not_before = mono + wait_before(entry.row.attempts, outcome.retry_after);
      if (planted(Planted::give_up_retrying) && entry.row.attempts >= 8) entry.row.state = DeliveryState::failed_permanent;
      ++stats_.retries;
      change.updates.push_back(entry.row);
      break;
    case SendOutcome::Kind::refused: refuse(entry, change, mono, now); break;
  }
  drop_finished(incident);
  return change;
}

/// News tells how the incident stood then; whoever has been told something later needs it no more, and after the end it
/// would be wrong.
void Outbox::supersede_news(const Entry& told, Change& change, Time now) {
  if (told.row.delivery.kind == NoticeKind::acknowledge) return;
  const bool is_update = told.row.delivery.kind == NoticeKind::update;
  for (auto& entry : rows_) {
    if (&entry == &told) return;
    const auto& d = entry.row.delivery;
    const bool same = d.incident == told.row.delivery.incident && d.receiver == told.row.delivery.receiver;
    const bool older_news = is_update ? d.kind == NoticeKind::update : is_news(d.kind);
    if (!same || !older_news || !is_open(entry.row)) continue;
    entry.row.state = DeliveryState::superseded;
    entry.row.updated_at = now;
    change.updates.push_back(entry.row);
  }
}

void Outbox::refuse(Entry& entry, Change& change, MonoTime mono, Time now) {
  ++stats_.refused;
  if (is_news(entry.row.delivery.kind)) {
    entry.row.state = DeliveryState::failed_permanent;
    change.updates.push_back(entry.row);
    return;
  }
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
  // The end of what has begun again must not stand before the new page, nor an acknowledgement before an end.
  if (!ended) return !calls_for_action(row.delivery.kind);
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
  const auto move = [&](const DeliveryRow& row) {
    // With rows of its own, the fallback gets its own end too.
    if (row.delivery.kind == NoticeKind::resolve && knows(to, row)) return;
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
    if (is_open(entry.row) || entry.sending) return;
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
    const bool refused = entry.refused_by_all && !calls_for_action(entry.row.delivery.kind);
    if (!is_open(entry.row) || refused) continue;
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
    return is_open(e.row) && e.refused_by_all && calls_for_action(e.row.delivery.kind);
  }));
}

}  // namespace ward::collector
