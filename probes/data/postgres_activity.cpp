#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "probes/data/label_guard.hpp"
#include "probes/data/postgres_json.hpp"
#include "probes/data/postgres_readers.hpp"

namespace ward::probes::data {
namespace {

using Twice = ReadingSet::Twice;

constexpr std::array<std::string_view, 3> kStates{"active", "idle", "idle in transaction"};
constexpr std::array<std::string_view, 9> kModes{
    "accesssharelock", "rowsharelock",          "rowexclusivelock", "shareupdateexclusivelock",
    "sharelock",       "sharerowexclusivelock", "exclusivelock",    "accessexclusivelock",
    "sireadlock"};
/// Zeros keep rules and dashboards from losing a series, but not at the price of the caps.
constexpr std::size_t kMostZeroFilled = 20;
/// pg_blocking_pids() gives 0 for a prepared transaction, which has no session.
constexpr std::int64_t kPreparedTransaction = 0;

bool zero_fill(const std::vector<std::string>& databases) { return databases.size() <= kMostZeroFilled; }

std::string program_of(const Json& session) {
  const auto app = application_label(text_at(session, "app"));
  if (!app.empty()) return app;
  const auto type = text_at(session, "backend_type");
  return type.empty() || type == "client backend" ? "unnamed" : type;
}

struct Blocker {
  std::string datname;
  std::string program;
  std::string state;
  double age_seconds = 0;
};

struct Waiting {
  std::string datname;
  std::string program;
  double seconds = 0;
};

struct BlockTree {
  std::unordered_map<std::int64_t, Waiting> waiting;
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> blocked_by;
  std::unordered_map<std::int64_t, Blocker> blockers;

  /// The pids at the top of the chains above `pid`; a deadlock cycle has none.
  void roots_of(std::int64_t pid, std::set<std::int64_t>& roots, std::unordered_set<std::int64_t>& visited) const {
    const auto found = blocked_by.find(pid);
    if (found == blocked_by.end()) return;
    for (const auto by : found->second) {
      if (!visited.insert(by).second) continue;
      if (waiting.contains(by))
        roots_of(by, roots, visited);
      else
        roots.insert(by);
    }
  }
};

std::int64_t pid_of(const Json& object) { return static_cast<std::int64_t>(number_at(object, "pid").value_or(-1)); }

BlockTree parse_tree(const Json& blocked) {
  BlockTree tree;
  for (const auto& w : member(blocked, "waiting"))
    tree.waiting[pid_of(w)] = {text_at(w, "datname"), program_of(w), std::max(0.0, number_at(w, "s").value_or(0))};
  for (const auto& e : member(blocked, "edges")) {
    auto& by = tree.blocked_by[pid_of(e)];
    for (const auto& pid : member(e, "by"))
      if (pid.is_number_integer()) by.push_back(pid.get<std::int64_t>());
  }
  for (const auto& b : member(blocked, "blockers"))
    tree.blockers[pid_of(b)] = {text_at(b, "datname"), program_of(b), text_at(b, "state"),
                                std::max(0.0, number_at(b, "tx").value_or(0))};
  return tree;
}

struct Root {
  Blocker blocker;
  std::size_t blocked = 0;
  double longest_seconds = 0;
  std::set<std::string> victims;
};

std::map<std::int64_t, Root> roots_of(const BlockTree& tree) {
  std::map<std::int64_t, Root> roots;
  for (const auto& [pid, waiting] : tree.waiting) {
    std::set<std::int64_t> above;
    std::unordered_set<std::int64_t> visited{pid};
    tree.roots_of(pid, above, visited);
    for (const auto top : above) {
      auto& root = roots[top];
      if (const auto known = tree.blockers.find(top); known != tree.blockers.end())
        root.blocker = known->second;
      else
        root.blocker = {waiting.datname, top == kPreparedTransaction ? "prepared transaction" : "unnamed", "", 0};
      if (root.blocker.datname.empty()) root.blocker.datname = waiting.datname;
      ++root.blocked;
      root.longest_seconds = std::max(root.longest_seconds, waiting.seconds);
      root.victims.insert(waiting.program);
    }
  }
  return roots;
}

Event told(const Root& root, Time now) {
  constexpr std::size_t kMostVictims = 5;
  std::string victims;
  std::size_t named = 0;
  for (const auto& victim : root.victims) {
    if (++named > kMostVictims) break;
    victims += (victims.empty() ? "" : ", ") + victim;
  }
  const auto whole = [](double seconds) { return std::to_string(static_cast<std::int64_t>(seconds)); };
  return {now,
          "lock_blocked",
          {{"datname", guarded(root.blocker.datname)},
           {"blocker", root.blocker.program},
           {"blocker_state", root.blocker.state},
           {"age_seconds", whole(root.blocker.age_seconds)},
           {"blocked", std::to_string(root.blocked)},
           {"waiting_seconds", whole(root.longest_seconds)},
           {"waiting", victims}}};
}

}  // namespace

void read_activity(const Json& activity, const std::vector<std::string>& databases, ReadingSet& out) {
  if (activity.is_null() && databases.empty()) return;
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& row : activity) {
    const auto datname = text_at(row, "datname");
    const auto state = text_at(row, "state");
    seen.emplace(datname, state);
    const Labels labels{{"datname", datname},
                        {"state", state},
                        {"usename", text_at(row, "usename")},
                        {"application_name", application_label(text_at(row, "app"))},
                        {"backend_type", text_at(row, "backend_type")},
                        {"wait_event_type", text_at(row, "wait_event_type")},
                        {"wait_event", text_at(row, "wait_event")}};
    out.add("pg_stat_activity_count", labels, number_at(row, "n").value_or(0), Twice::sum);
    out.add("pg_stat_activity_max_tx_duration", labels, number_at(row, "tx").value_or(0), Twice::max);
  }
  if (!zero_fill(databases)) return;
  for (const auto& datname : databases) {
    for (const auto state : kStates) {
      if (seen.contains({datname, std::string(state)})) continue;
      const Labels labels{{"datname", datname}, {"state", std::string(state)}};
      out.add("pg_stat_activity_count", labels, 0);
      out.add("pg_stat_activity_max_tx_duration", labels, 0);
    }
  }
}

void read_locks(const Json& locks, const std::vector<std::string>& databases, ReadingSet& out) {
  for (const auto& row : locks)
    out.add("pg_locks_count", {{"datname", text_at(row, "datname")}, {"mode", text_at(row, "mode")}},
            number_at(row, "n").value_or(0), Twice::sum);
  if (!zero_fill(databases)) return;
  for (const auto& datname : databases)
    for (const auto mode : kModes)
      out.add("pg_locks_count", {{"datname", datname}, {"mode", std::string(mode)}}, 0, Twice::sum);
}

void BlockTracker::read(const Json& blocked, const std::vector<std::string>& databases, Time now, ReadingSet& out,
                        Events& events) {
  if (!blocked.is_object()) return;
  const auto tree = parse_tree(blocked);
  for (const auto& [pid, waiting] : tree.waiting) {
    const Labels labels{{"datname", waiting.datname}};
    out.add("ward_pg_blocked_sessions", labels, 1, Twice::sum);
    out.add("ward_pg_blocked_max_seconds", labels, waiting.seconds, Twice::max);
  }
  std::set<std::int64_t> still;
  for (const auto& [pid, root] : roots_of(tree)) {
    out.add("ward_pg_root_blockers", {{"datname", root.blocker.datname}, {"application_name", root.blocker.program}}, 1,
            Twice::sum);
    if (told_.contains(pid)) {
      still.insert(pid);
    } else if (root.longest_seconds >= std::chrono::duration<double>(tell_after_).count()) {
      still.insert(pid);
      events.push_back(told(root, now));
    }
  }
  told_ = std::move(still);
  for (const auto& datname : databases) {
    out.add("ward_pg_blocked_sessions", {{"datname", datname}}, 0, Twice::sum);
    out.add("ward_pg_blocked_max_seconds", {{"datname", datname}}, 0, Twice::max);
  }
}

}  // namespace ward::probes::data
