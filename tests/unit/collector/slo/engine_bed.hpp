#pragma once
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collector/slo/engine.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::slo::test {

inline const Time kStart = from_ms(1'795'363'200'000);  // a whole minute (and hour)

/// Every sample that was committed, as the store would answer.
class FakeHistory final : public Queryable {
 public:
  void put(const Labels& labels, Sample sample) {
    auto& samples = series_[labels];
    const auto at =
        std::lower_bound(samples.begin(), samples.end(), sample.t, [](const Sample& s, Time t) { return s.t < t; });
    if (at == samples.end() || at->t != sample.t) samples.insert(at, sample);
  }
  [[nodiscard]] Result<std::vector<SeriesData>> select(std::span<const Matcher> matchers, Time from,
                                                       Time to) const override {
    if (broken) return fail(Errc::unavailable, "the store is away", "");
    std::vector<SeriesData> out;
    for (const auto& [labels, samples] : series_) {
      if (!std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) { return m.matches(labels.get(m.name())); }))
        continue;
      SeriesData data{labels, {}};
      for (const auto& s : samples)
        if (s.t >= from && s.t <= to) data.samples.push_back(s);
      if (!data.samples.empty()) out.push_back(std::move(data));
    }
    return out;
  }
  bool broken = false;

 private:
  std::map<Labels, std::vector<Sample>> series_;
};

/// A disk that survives the engine.
class MemoryStore final : public LedgerStore {
 public:
  Result<StoredSlos> load(const std::vector<std::string>& identities) override {
    StoredSlos out;
    for (const auto& [key, blocks] : ledgers_) {
      if (std::find(identities.begin(), identities.end(), key.identity) == identities.end()) continue;
      out.ledgers.push_back({key, {}});
      for (const auto& [number, bytes] : blocks) out.ledgers.back().blocks.push_back({number, bytes});
    }
    for (const auto& id : seeded_)
      if (std::find(identities.begin(), identities.end(), id) != identities.end()) out.seeded.push_back(id);
    out.alerts = alerts_;
    out.counted_through = through_;
    return out;
  }
  Result<wire::Buffer> block(const LedgerKey& key, BlockNumber number) override {
    const auto& blocks = ledgers_[key];
    const auto found = blocks.find(number);
    return found == blocks.end() ? wire::Buffer{} : found->second;
  }
  Status save(const LedgerChange& change) override {
    if (broken) return fail(Errc::unavailable, "the disk is away", "");
    last_blocks = 0;
    for (const auto& [key, blocks] : change.ledgers) {
      for (const auto& [number, bytes] : blocks) {
        ++last_blocks;
        if (bytes.empty())
          ledgers_[key].erase(number);
        else
          ledgers_[key][number] = bytes;
      }
    }
    for (const auto& id : change.seeded) seeded_.push_back(id);
    alerts_ = change.alerts;
    through_ = change.counted_through;
    return {};
  }
  Status prune(Time) override { return {}; }
  bool broken = false;
  std::size_t last_blocks = 0;

 private:
  std::map<LedgerKey, std::map<BlockNumber, wire::Buffer>> ledgers_;
  std::vector<std::string> seeded_;
  std::vector<StoredSloAlert> alerts_;
  Time through_;
};

inline Matcher match(const std::string& name, const std::string& value, Matcher::Op op = Matcher::Op::equal) {
  return Matcher::make(op, name, value).value();
}
inline SliSource counter(SliRole role, const std::string& metric, std::optional<Matcher> extra = {}) {
  SliSource source{.role = role, .query = metric, .matchers = {match("__name__", metric)}, .counter = true};
  if (extra) {
    source.query += to_string(*extra);
    source.matchers.push_back(*extra);
  }
  return source;
}

/// Errors and requests, by tenant, with the workbook's pairs.
inline SloSpec rpc_slo() {
  using namespace std::chrono_literals;
  SloSpec slo;
  slo.name = "admission-ok";
  slo.service = "odoo";
  slo.indicator.sources = {counter(SliRole::bad, "rpc_total", match("code", "5..", Matcher::Op::regex)),
                           counter(SliRole::total, "rpc_total")};
  slo.target = 0.999;
  slo.group_by = {"tenant"};
  slo.burn = {{1h, 5min, 14.4, AlertClass::urgent, {}},
              {6h, 30min, 6, AlertClass::urgent, {}},
              {24h, 2h, 3, AlertClass::actionable, {}},
              {72h, 6h, 1, AlertClass::actionable, {}}};
  slo.alert_labels = {{"owner", "application"}, {"layer", "user_experience"}};
  slo.origin = "pack.yaml:1:1";
  return slo;
}

/// An engine, its disk and what was sent to it.
struct Bed {
  FakeHistory history;
  MemoryStore store;
  Maintenance maintenance;
  SliQuery query;
  EngineOptions options;
  bool with_history = true;
  std::unique_ptr<SloEngine> engine;
  std::map<Labels, std::uint32_t> ids;
  std::map<Labels, double> counters;
  Time now = kStart;
  std::vector<AlertEvent> told;
  std::map<std::string, double> series;  ///< of the last tick, stale ones apart

  explicit Bed(std::vector<SloSpec> slos = {rpc_slo()}) : slos_(std::move(slos)) {}
  void start() {
    engine = std::make_unique<SloEngine>(SloEngine::Context{.query = query,
                                                            .maintenance = maintenance,
                                                            .history = with_history ? &history : nullptr,
                                                            .store = &store,
                                                            .options = options});
    reload(slos_);
    while (engine->catch_up(now)) {}
  }
  SloEngine::Reloaded reload(std::vector<SloSpec> slos) {
    slos_ = slos;
    auto done = engine->reload({std::move(slos), {}}, now);
    EXPECT_TRUE(done);
    if (done->needs_series)
      for (const auto& [labels, id] : ids) engine->define(id, labels);
    return *done;
  }
  /// kill -9 and a new process.
  void restart() {
    engine.reset();
    start();
  }
  void put(const Labels& labels, Time t, double v) {
    history.put(labels, {t, v});
    const auto [at, fresh] = ids.emplace(labels, static_cast<std::uint32_t>(ids.size() + 1));
    if (fresh) engine->define(at->second, labels);
    const wire::IdSample sample{at->second, t, v};
    engine->append({&sample, 1});
  }
  static Labels rpc(const std::string& tenant, const std::string& code) {
    return Labels{{"__name__", "rpc_total"}, {"code", code}, {"instance", "odoo:8069"}, {"tenant", tenant}};
  }
  /// One scrape of a tenant's counters.
  void scrape(const std::string& tenant, double good, double bad) {
    put(rpc(tenant, "200"), now, counters[rpc(tenant, "200")] += good);
    put(rpc(tenant, "502"), now, counters[rpc(tenant, "502")] += bad);
  }
  void tick() {
    auto out = engine->tick(now);
    told.insert(told.end(), out.alerts.begin(), out.alerts.end());
    series.clear();
    for (const auto& [labels, value] : out.series) {
      EXPECT_TRUE(std::isfinite(value) || is_stale(value)) << to_string(labels);
      auto name = to_string(labels);
      while (name.find(", ") != std::string::npos) name.erase(name.find(", ") + 1, 1);
      if (!is_stale(value)) series[name] = value;
    }
  }
  /// Minutes of traffic of tenant a, a scrape and a tick each.
  void run(int minutes, double good, double bad) {
    for (int i = 0; i < minutes; ++i) {
      now += std::chrono::minutes{1};
      scrape("a", good, bad);
      tick();
    }
  }
  [[nodiscard]] std::optional<double> value(const std::string& name) const {
    const auto found = series.find(name);
    return found == series.end() ? std::nullopt : std::optional{found->second};
  }
  [[nodiscard]] std::optional<double> burn(const std::string& window, const std::string& slo = "admission-ok") const {
    return value("ward_slo_burn_rate{service=\"odoo\",slo=\"" + slo + "\",tenant=\"a\",window=\"" + window + "\"}");
  }
  /// What was told since the last call: "firing admission-ok urgent, ...".
  std::string take_told() {
    std::string out;
    for (const auto& e : told)
      out += (out.empty() ? "" : ", ") + std::string(to_string(e.phase)) + " " + std::string(e.labels.get("alertname")) +
             " " + std::string(e.labels.get("class"));
    told.clear();
    return out;
  }

 private:
  std::vector<SloSpec> slos_;
};

}  // namespace ward::collector::slo::test
