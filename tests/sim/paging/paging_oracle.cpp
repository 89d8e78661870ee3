#include "tests/sim/paging/paging_oracle.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>

#include "tests/sim/paging/estate.hpp"

namespace ward::sim::paging {
namespace {

// What the estate's configuration asks for (collector_life.cpp), and how much later is late.
constexpr seconds kNextLevel{120};
constexpr seconds kNextStep{90};  // the second step of the plan "database"
constexpr seconds kTold{100};     // a minute between two attempts, a tick, a hold, an answer that takes its time
constexpr seconds kEvaluation{30};
constexpr seconds kRestart{8};
constexpr seconds kOver{260};
constexpr seconds kBeat{100};

bool is_page(Kind kind) { return kind == Kind::fire || kind == Kind::escalate; }
std::string alert_of(const std::string& root) { return root.substr(0, root.find('/')); }
const char* name_of(Kind kind) {
  constexpr std::array<const char*, 5> kNames{"fire", "escalate", "update", "acknowledge", "resolve"};
  return kNames.at(static_cast<std::size_t>(kind));
}

/// Who must have heard when nobody answers.
std::set<std::string> next_level_of(const Claim& claim) {
  // The plan holds from the last page on: a cause that changes without one leaves it as it is.
  if (alert_of(claim.root) == "PgDown") return {"boss", "ops1", "ops2"};
  if (claim.owner == "database") return {"ops1", "ops2"};
  return {"dba"};
}

}  // namespace

PagingOracle::PagingOracle() : tells_(std::getenv("WARD_SIM_TELL") != nullptr), faults_(signals().size()) {}

void PagingOracle::violation(const std::string& what) {
  if (violated_.insert(what).second) violations_.insert(what + ", first " + seconds_in());
}

std::string PagingOracle::seconds_in() const {
  return std::to_string(std::chrono::duration_cast<seconds>(now_ - begin_).count()) + " s in";
}

void PagingOracle::note(const std::string& what) {
  if (tells_) std::cerr << seconds_in() << ": " << what << '\n';
  for (const char c : what) trace_ = (trace_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  trace_ = (trace_ ^ static_cast<std::uint64_t>(now_.time_since_epoch().count())) * 1099511628211ULL;
}

void PagingOracle::at(MonoTime now, Time wall) {
  if (begin_ == MonoTime{}) begin_ = now;
  now_ = now;
  wall_ = wall;
}

void PagingOracle::clock_stepped() {
  stepped_at_ = now_;
  note("the clock is set to " + std::to_string(to_ms(wall_)));
  // A hold that a clock step falls into starts over.
  for (auto& fault : faults_) fault.seen = fault.seen_at_commit = milliseconds{0};
  for (auto& [id, track] : tracks_) track.calm_since = now_;
}

void PagingOracle::committed(const Row& row) {
  if (!rows_.try_emplace(row.key, Known{.row = row}).second) return;
  note("stored " + row.key + " " + row.receiver + " of " + row.root + " class " + std::to_string(row.cls) + ": " + row.why);
  if (is_page(row.kind)) judge_page(row);
}

void PagingOracle::judge_page(const Row& row) {
  if (is_silenced(row.root, row.at, Sure::yes)) violation("P6: " + row.root + " is told although a silence covers it");
  judge_early(row);
  judge_next_level(row);
  // Another class, owner or episode takes an acknowledgement back.
  if (const auto ack = acks_.find(row.incident); ack != acks_.end()) {
    const auto& a = ack->second;
    const bool other = row.cls > a.cls || row.owner != a.owner || row.reopened != a.reopened || row.plan() != a.plan;
    if (row.at > a.at && other) acks_.erase(ack);
  }
}

/// Nobody hears of what is not broken, or not for long enough.
void PagingOracle::judge_early(const Row& row) {
  if (row.kind != Kind::fire || stepped_at_ != MonoTime{}) return;
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    const auto& fault = faults_[i];
    if (signals()[i].id() != row.root) continue;
    if (!fault.broken && now_ - fault.well_since > seconds{240}) violation("false page: " + row.root + " was well for long");
    if (fault.broken && fault.well_since != MonoTime{} && now_ - fault.since < signals()[i].hold - seconds{6} &&
        now_ - fault.well_since > seconds{150})
      violation("hold: " + row.root + " is told before its time");
  }
}

/// The next level hears when nobody has answered in time, and not before.
void PagingOracle::judge_next_level(const Row& row) {
  if (!row.why.starts_with("Nobody has acknowledged within")) return;
  if (const auto ack = acks_.find(row.incident); ack != acks_.end()) {
    const auto& a = ack->second;
    const bool same = row.cls <= a.cls && row.owner == a.owner && row.reopened == a.reopened && row.plan() == a.plan;
    if (same && a.at < row.at) violation("ack: the next level is told although somebody has acknowledged");
  }
  if (stepped_at_ != MonoTime{}) return;
  auto first = Time::max();
  for (const auto& [key, known] : rows_) {
    const auto& other = known.row;
    if (other.incident == row.incident && other.reopened == row.reopened && is_page(other.kind) && key != row.key)
      first = std::min(first, other.at);
  }
  if (first == Time::max() || row.at - first < kNextStep - seconds{2})
    violation("early: the next level is told before the first had its time");
}

void PagingOracle::row_state(const std::string& key, RowState state) {
  const auto at = rows_.find(key);
  if (at == rows_.end()) return;
  at->second.row.state = state;
  if (state == RowState::delivered && at->second.taken == 0)
    violation("delivered: recorded of what its receiver never took");
}

void PagingOracle::commit_done() {
  for (auto& fault : faults_) fault.seen_at_commit = fault.seen;
}

void PagingOracle::crashed() {
  note("crash");
  for (auto& [key, known] : rows_)
    if (known.taken > 0 && known.row.state == RowState::pending) ++known.allowed;
  // What fired before is waited for a minute after each restart.
  for (auto& [id, track] : tracks_) track.over = milliseconds{0};
  for (auto& fault : faults_) fault.seen = std::max(milliseconds{0}, std::min(fault.seen, fault.seen_at_commit) - kRestart);
}

void PagingOracle::restarted(const std::vector<Row>& rows) {
  std::map<std::string, RowState> loaded;
  for (const auto& row : rows) {
    loaded.emplace(row.key, row.state);
    // Of a commit whose answer was lost.
    committed(row);
  }
  for (auto& [key, known] : rows_) {
    const auto at = loaded.find(key);
    if (known.row.state == RowState::pending && at == loaded.end())
      violation("P8: a stored message is gone after a restart");
    if (at == loaded.end()) continue;
    if (known.row.state != RowState::pending && at->second == RowState::pending)
      violation("P8: a stored result is gone after a restart");
    known.row.state = at->second;
  }
}

void PagingOracle::sending(const std::string& key, const std::string& receiver) {
  const auto at = rows_.find(key);
  if (at == rows_.end())
    violation("P3: sent before it was stored");
  else if (at->second.row.receiver != receiver)
    violation("P3: sent to another receiver than stored");
}

void PagingOracle::unsure(const std::string& key) {
  if (const auto at = rows_.find(key); at != rows_.end()) ++at->second.allowed;
}

void PagingOracle::taken(const std::string& key, const std::string& receiver) {
  const auto at = rows_.find(key);
  if (at == rows_.end()) return;  // told by sending()
  auto& known = at->second;
  note("taken " + key + " " + receiver);
  if (++known.taken > known.allowed) violation("P2: a message was sent again without need");
  if (known.taken > 1) return;  // receivers know the key
  if (is_page(known.row.kind)) ++pages_taken_;
  judge_order(known.row);
}

void PagingOracle::judge_order(const Row& row) {
  auto& view = views_[{row.receiver, row.incident}];
  if (is_page(row.kind)) {
    if (view.ended && *view.ended >= row.reopened)
      violation(std::string("P5: ") + name_of(row.kind) + " after the end of its episode");
    view.open = true;
  }
  if (row.kind != Kind::resolve) return;
  if (view.ended && *view.ended > row.reopened) violation("P5: an older end after a newer one");
  if (view.ended && *view.ended == row.reopened) violation("P2: the same end twice");
  view.ended = row.reopened;
  view.open = false;
}

void PagingOracle::acknowledged(const std::string& incident, Said said) {
  const auto at = tracks_.find(incident);
  if (at == tracks_.end()) return;
  at->second.acknowledged = true;
  note("ack of " + incident + (said == Said::done ? " in force" : " asked for"));
  if (said == Said::asked) return;
  const auto& claim = at->second.claim;
  acks_.insert_or_assign(incident, Ack{.at = wall_,
                                       .cls = claim.cls,
                                       .owner = claim.owner,
                                       .reopened = claim.reopened,
                                       .plan = claim.root.starts_with("PgDown")});
}

void PagingOracle::unacknowledged(const std::string& incident, Said said) {
  acks_.erase(incident);
  const auto at = tracks_.find(incident);
  if (at == tracks_.end() || said == Said::asked) return;
  at->second.acknowledged = false;
  at->second.since = now_;
}

void PagingOracle::silenced(const std::string& id, const std::string& alert, Time until, Said said) {
  note("silence " + id + " of " + alert + (said == Said::done ? " in force" : " asked for"));
  silences_.insert_or_assign(id, Silence{.alert = alert, .from = wall_, .until = until, .sure = said == Said::done});
}

void PagingOracle::silence_ended(const std::string& id, Said said) {
  if (said == Said::done)
    silences_.erase(id);
  else if (const auto at = silences_.find(id); at != silences_.end())
    at->second.sure = false;
}

/// With a second of doubt at both ends.
bool PagingOracle::is_silenced(const std::string& root, Time wall, Sure sure) const {
  const auto doubt = sure == Sure::yes ? seconds{1} : seconds{-2};
  return std::any_of(silences_.begin(), silences_.end(), [&](const auto& entry) {
    const auto& s = entry.second;
    return s.alert == alert_of(root) && (s.sure || sure == Sure::no) && s.from + doubt <= wall && wall < s.until - doubt;
  });
}

std::vector<std::string> PagingOracle::open_pages() const {
  std::set<std::string> out;
  for (const auto& [pair, view] : views_)
    if (view.open) out.insert(pair.second);
  return {out.begin(), out.end()};
}

std::vector<std::string> PagingOracle::open_silences() const {
  std::vector<std::string> out;
  for (const auto& [id, silence] : silences_)
    if (silence.sure && wall_ < silence.until - seconds{5}) out.push_back(id);
  return out;
}

void PagingOracle::pass(milliseconds time, const Weather& weather, const std::vector<Claim>& claims) {
  if (weather.evaluates)
    for (auto& fault : faults_)
      if (fault.since < now_) fault.seen += time;
  judge_heartbeat(weather);
  if (!weather.up) {
    for (auto& [id, track] : tracks_) track.calm_since = now_;
    return;
  }
  judge_signals(claims);
  std::set<std::string> open;
  for (const auto& claim : claims) {
    open.insert(claim.id);
    follow(claim, time, weather);
  }
  std::erase_if(tracks_, [&](const auto& entry) {
    if (open.contains(entry.first)) return false;
    acks_.erase(entry.first);
    return true;
  });
}

void PagingOracle::see(const std::vector<bool>& broken) {
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    auto& fault = faults_[i];
    if (broken[i]) fault.well_since = now_;
    if (fault.broken == broken[i]) continue;
    note(signals()[i].id() + (broken[i] ? " breaks" : " is well"));
    fault.broken = broken[i];
    fault.since = now_;
    fault.seen = fault.seen_at_commit = milliseconds{0};
  }
}

/// P1, first half: what is broken for long enough is in an incident.
void PagingOracle::judge_signals(const std::vector<Claim>& claims) {
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    const auto& signal = signals()[i];
    if (!faults_[i].broken || faults_[i].seen < signal.hold + kEvaluation) continue;
    const bool found =
        std::any_of(claims.begin(), claims.end(), [&](const Claim& c) { return c.firing.contains(signal.id()); });
    if (!found) violation("P1: " + signal.id() + " is broken for long and in no incident");
  }
}

void PagingOracle::follow(const Claim& claim, milliseconds time, const Weather& weather) {
  const auto [at, fresh] = tracks_.try_emplace(claim.id, Track{.claim = claim, .since = now_, .calm_since = now_});
  auto& track = at->second;
  const auto& before = track.claim;
  const bool other = before.cls != claim.cls || before.owner != claim.owner || before.reopened != claim.reopened ||
                     before.root != claim.root;
  if (other) {
    track.since = now_;
    const bool same_plan = before.root.starts_with("PgDown") == claim.root.starts_with("PgDown");
    if (before.cls != claim.cls || before.owner != claim.owner || before.reopened != claim.reopened || !same_plan)
      track.acknowledged = false;
  }
  if (fresh || before.firing != claim.firing) {
    std::string firing;
    for (const auto& member : claim.firing) firing += " " + member;
    note("incident " + claim.id + " of " + claim.root + ", firing:" + firing);
  }
  track.claim = claim;
  const bool calm = weather.stores && weather.reaches && weather.evaluates && !is_silenced(claim.root, wall_, Sure::no);
  if (!calm) track.calm_since = now_;
  const bool any = std::any_of(claim.members.begin(), claim.members.end(), [&](const std::string& member) {
    for (std::size_t i = 0; i < faults_.size(); ++i)
      if (signals()[i].id() == member) return faults_[i].broken;
    return false;
  });
  track.over =
      any || stepped_at_ > now_ - seconds{1} ? milliseconds{0} : track.over + (weather.evaluates ? time : milliseconds{0});
  if (track.over > kOver && weather.stores) violation("end: an incident stays open though all of it is over");
  judge_told(track);
  judge_levels(track);
}

bool PagingOracle::told(const Claim& claim, const std::set<std::string>& receivers) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const auto& entry) {
    const auto& row = entry.second.row;
    return row.incident == claim.id && is_page(row.kind) && entry.second.taken > 0 && row.reopened == claim.reopened &&
           (receivers.empty() ? row.cls >= claim.cls && row.owner == claim.owner : receivers.contains(row.receiver));
  });
}

/// P1, second half: somebody has a page of it, as grave as it is, and its owner's.
void PagingOracle::judge_told(const Track& track) {
  if (now_ - std::max(track.since, track.calm_since) < kTold) return;
  if (!told(track.claim, {})) violation("P1: nobody was told of an incident, or not how grave it is or whose");
}

void PagingOracle::judge_levels(const Track& track) {
  if (track.claim.cls < kPaging || track.acknowledged || acks_.contains(track.claim.id)) return;
  if (now_ - std::max(track.since, track.calm_since) < kNextLevel + kTold) return;
  if (!told(track.claim, next_level_of(track.claim)))
    violation("next level: nobody has acknowledged, and the next level was not told");
}

void PagingOracle::beat() { beat_at_ = now_; }

/// P7: beats come while all is well, and not while a page waits in vain.
void PagingOracle::judge_heartbeat(const Weather& weather) {
  if (!weather.up || !weather.stores || !weather.evaluates || !weather.reaches) fine_since_ = now_;
  if (now_ - fine_since_ > kBeat + kTold && now_ - beat_at_ > kBeat)
    violation("P7: the dead man's switch pages although all is well");
  const bool in_vain = std::any_of(rows_.begin(), rows_.end(), [this](const auto& entry) {
    const auto& row = entry.second.row;
    return is_page(row.kind) && row.state == RowState::pending && wall_ - row.at > std::chrono::minutes{7};
  });
  if (in_vain && stepped_at_ == MonoTime{} && beat_at_ == now_)
    violation("P7: the dead man's switch is held although a page waits in vain");
}

void PagingOracle::check_end(const std::vector<Claim>& claims) {
  for (const auto& [pair, view] : views_)
    if (view.open) violation("lost resolve: a receiver has an incident open that is over");
  if (!claims.empty()) violation("end: an incident stays open though all of it is over");
  for (const auto& [key, known] : rows_)
    if (known.row.state == RowState::pending)
      violation(std::string("P8: a ") + name_of(known.row.kind) + " was never delivered");
}

}  // namespace ward::sim::paging
