#include "tests/sim/paging/estate.hpp"

#include <algorithm>
#include <array>

namespace ward::sim::paging {
namespace {

enum At : std::size_t { node, pg_a, pg_b, pg_slow, odoo_a, odoo_b, odoo_slow, web, redis, backup };

constexpr std::array<const char*, 3> kClasses{"informational", "actionable", "urgent"};

}  // namespace

const std::vector<Signal>& signals() {
  static const std::vector<Signal> all{
      {.alert = "NodeDown", .tenant = "", .service = "node", .owner = "platform", .cls = 2, .hold = seconds{10}, .more = ""},
      {.alert = "PgDown",
       .tenant = "a",
       .service = "pg-main",
       .owner = "database",
       .cls = 2,
       .hold = seconds{5},
       .more = ""},
      {.alert = "PgDown",
       .tenant = "b",
       .service = "pg-main",
       .owner = "database",
       .cls = 2,
       .hold = seconds{5},
       .more = ""},
      {.alert = "PgSlow",
       .tenant = "a",
       .service = "pg-main",
       .owner = "database",
       .cls = 1,
       .hold = seconds{40},
       .keep = seconds{15},
       .more = ""},
      {.alert = "OdooDown",
       .tenant = "a",
       .service = "odoo",
       .owner = "application",
       .cls = 2,
       .hold = seconds{15},
       .more = ""},
      {.alert = "OdooDown",
       .tenant = "b",
       .service = "odoo",
       .owner = "application",
       .cls = 2,
       .hold = seconds{15},
       .more = ""},
      {.alert = "OdooSlow",
       .tenant = "a",
       .service = "odoo",
       .owner = "application",
       .cls = 2,
       .hold = seconds{90},
       .more = ""},
      {.alert = "WebErrors",
       .tenant = "a",
       .service = "web",
       .owner = "application",
       .cls = 2,
       .hold = seconds{20},
       .keep = seconds{20},
       .more = ", workflow: billing"},
      {.alert = "RedisDown",
       .tenant = "",
       .service = "redis",
       .owner = "platform",
       .cls = 2,
       .hold = seconds{5},
       .more = ""},
      {.alert = "BackupLate",
       .tenant = "",
       .service = "backup",
       .owner = "platform",
       .cls = 0,
       .hold = seconds{0},
       .more = ""}};
  return all;
}

std::string rules_text(Redis redis, int edition) {
  std::string out = "groups:\n- name: estate\n  interval: 5s\n  rules:\n";
  std::string last;
  for (const auto& s : signals()) {
    if (s.alert == last || (s.alert == "RedisDown" && redis == Redis::retired)) continue;
    last = s.alert;
    out += "  - alert: " + s.alert + "\n    expr: sig_" + s.alert + "\n    for: " + std::to_string(s.hold.count()) +
           "s\n    keep_firing_for: " + std::to_string(s.keep.count()) +
           "s\n    labels: {class: " + kClasses.at(static_cast<std::size_t>(s.cls)) + ", layer: data, owner: " + s.owner +
           ", service: " + s.service + s.more + "}\n    annotations: {summary: 'edition " + std::to_string(edition) +
           "', description: d, runbook_url: run.md#a" + (s.alert == "PgDown" ? ", escalation: database" : "") + "}\n";
  }
  return out;
}

Estate::Estate(Random& random) : random_(random), active_(signals().size()) {}

milliseconds Estate::between(std::uint64_t least, std::uint64_t most) {
  return milliseconds{(least + random_.below(most - least + 1)) * 1'000};
}

void Estate::plan(std::size_t signal, MonoTime from, milliseconds length) {
  changes_.push_back({from, signal, 1});
  changes_.push_back({from + length, signal, -1});
}

/// The node takes the database of a tenant with it, that takes the application, and so on.
void Estate::cascade(MonoTime now, bool late_root) {
  const auto length = between(30, 300);
  const auto lag = between(3, 20);
  const auto from_node = random_.below(2) == 0;
  if (from_node) plan(node, late_root ? now + between(25, 70) : now, length);
  plan(pg_a, late_root && !from_node ? now + between(25, 70) : now + lag, length);
  if (random_.below(2) == 0) plan(pg_b, now + lag, length);
  // Some symptoms end with their cause, some long after it.
  plan(odoo_a, now + 2 * lag, random_.below(3) == 0 ? length + between(60, 200) : length + between(0, 10));
  if (random_.below(2) == 0) plan(odoo_b, now + lag, length);
  if (random_.below(2) == 0) plan(web, now + 2 * lag, length + between(0, 60));
}

void Estate::flap(MonoTime now) {
  const auto which = random_.below(signals().size());
  auto at = now;
  for (auto left = 3 + random_.below(4); left > 0; --left) {
    const auto length = between(6, 40);
    plan(which, at, length);
    at += length + between(8, 50);
  }
}

void Estate::tell(MonoTime now) {
  switch (random_.below(8)) {
    case 0:
    case 1: return cascade(now, false);
    case 2: return cascade(now, true);
    case 3: return flap(now);
    case 4: return plan(odoo_slow, now, between(60, 400));
    case 5:
      plan(pg_slow, now, between(60, 300));
      return plan(random_.below(2) == 0 ? pg_a : web, now + between(50, 120), between(30, 300));
    default: return plan(random_.below(signals().size()), now, between(5, 400));
  }
}

void Estate::pass(MonoTime now) {
  for (const auto& change : changes_)
    if (change.at <= now) active_[change.signal] += change.by;
  std::erase_if(changes_, [now](const Change& c) { return c.at <= now; });
}

void Estate::mend(MonoTime now) {
  pass(now);
  changes_.clear();
  std::fill(active_.begin(), active_.end(), 0);
}

}  // namespace ward::sim::paging
