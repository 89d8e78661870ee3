// Counting what is stored: for new SLOs, after a start, and where a sample came too late.
#include "collector/slo/recount.hpp"

#include <algorithm>

#include "collector/slo/engine.hpp"

namespace ward::collector::slo {
namespace {

constexpr milliseconds kLookback{std::chrono::hours{1}};      // where counters stood
constexpr milliseconds kUnsaved{std::chrono::hours{1}};       // late samples that the last save may lack
constexpr milliseconds kPresent{std::chrono::minutes{10}};    // read under the lock
constexpr milliseconds kMostRepaired{std::chrono::hours{6}};  // of one repair, read under the lock
constexpr std::size_t kRepairsATick = 2;

}  // namespace

void SloEngine::begin_seed(SloState& slo, Time now) {
  slo.seeded = slo.spec.components.size() > 0 || !slo.native || context_.history == nullptr;
  if (slo.seeded) return;
  auto job = std::make_unique<SeedJob>();
  job->count_from = Time{minute_of(now) - slo.plan.longest()};
  for (const auto* composite : slo.above)
    job->count_from = std::min(job->count_from, Time{minute_of(now) - composite->plan.longest()});
  if (slo.was_saved) {
    // An SLO that was gone for a while is older than the last save.
    auto through = std::min(counted_through_, now);
    std::optional<std::int64_t> newest;
    for (const auto& [labels, group] : slo.groups) newest = std::max(newest, group->ledger->last_known());
    if (newest) through = std::min(through, Time{minutes{*newest + 1}});
    job->count_from = std::max(job->count_from, Time{minute_of(through - kUnsaved)});
  }
  for (auto& [labels, group] : slo.groups)
    group->ledger->wipe(number_of(minute_of(job->count_from)), std::numeric_limits<std::int64_t>::max() / 2);
  job->read_from = job->count_from - kLookback;
  job->read_to = job->read_from;
  slo.seed = std::move(job);
}

bool SloEngine::catches_up() const {
  const std::scoped_lock lock(mutex_);
  return std::any_of(slos_.begin(), slos_.end(), [](const auto& slo) { return slo->seed != nullptr; });
}

bool SloEngine::catch_up(Time now) {
  SloState* next = nullptr;
  {
    const std::scoped_lock lock(mutex_);
    // Those that run already come first: their alerts wait for it.
    for (auto& slo : slos_)
      if (slo->seed != nullptr && (next == nullptr || (slo->was_saved && !next->was_saved))) next = slo.get();
  }
  if (next == nullptr) return false;
  if (!seed_step(*next, now)) {
    const std::scoped_lock lock(mutex_);
    ++counts_.failed_seeds;
  }
  return catches_up();
}

Result<std::vector<std::vector<SeriesData>>> SloEngine::read_history(const SloState& slo, Time from, Time to) const {
  std::vector<std::vector<SeriesData>> out;
  for (const auto& source : slo.spec.indicator.sources) {
    auto found = context_.history->select(source.matchers, from, to);
    if (!found) return fail(found.error());
    out.push_back(std::move(*found));
  }
  return out;
}

Status SloEngine::seed_step(SloState& slo, Time now) {
  // Only reload(), which never runs beside this, takes an SLO or its job away.
  auto& job = *slo.seed;
  const auto from = job.read_to;
  const auto to = from + context_.options.seed_step;
  if (to < now - kPresent) {
    const auto history = read_history(slo, from, to - milliseconds{1});
    if (!history) return fail(history.error());
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < history->size(); ++i) apply_history(slo, job, i, (*history)[i], to);
    job.read_to = to;
    return {};
  }
  if (from < now - kPresent * 2) {
    const auto near = now - kPresent;
    const auto history = read_history(slo, from, near - milliseconds{1});
    if (!history) return fail(history.error());
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < history->size(); ++i) apply_history(slo, job, i, (*history)[i], near);
    job.read_to = near;
    return {};
  }
  const std::scoped_lock lock(mutex_);
  const auto end = now + context_.options.max_ahead;
  const auto history = read_history(slo, from, end);
  if (!history) return fail(history.error());
  for (std::size_t i = 0; i < history->size(); ++i) apply_history(slo, job, i, (*history)[i], Time::max());
  finish_seed(slo);
  return {};
}

Slot* SloEngine::slot_of(const SloState& slo, std::size_t source, std::uint64_t labels_hash) {
  const auto found = by_labels_.find(labels_hash);
  if (found == by_labels_.end()) return nullptr;
  for (auto& slot : series_[found->second].slots)
    if (slot.slo == &slo && slot.source == source) return &slot;
  return nullptr;
}

void SloEngine::apply_history(SloState& slo, SeedJob& job, std::size_t source, const std::vector<SeriesData>& all,
                              Time count_to) {
  const bool counter = slo.spec.indicator.sources[source].counter;
  for (const auto& series : all) {
    const auto key = memory_key(source, series.labels.hash());
    auto carried = job.carried.find(key);
    if (carried == job.carried.end()) {
      auto* group = group_of(slo, series.labels);
      if (group == nullptr) continue;
      carried = job.carried.emplace(key, Carried{group, job.sources.find_or_add(series.labels), {}}).first;
    }
    auto& [group, process, memory] = carried->second;
    const auto* slot = slot_of(slo, source, series.labels.hash());
    for (const auto& sample : series.samples) {
      if (is_stale(sample.v)) continue;
      if (slot != nullptr && slot->live_from) {
        const bool counted = counter && !slot->live_from_zero ? sample.t > *slot->live_from : sample.t >= *slot->live_from;
        if (counted) break;
      }
      if (sample.t >= count_to) break;
      bool from_zero = false;
      if (memory.empty())
        from_zero = job.sources.start_is_known(process, sample.t, started(job.sources.process_of(process)));
      job.sources.seen(process, sample.t);
      count(slo, *group, source, memory, sample, from_zero, job.count_from);
      if (count_to == Time::max()) counted_through_ = std::max(counted_through_, sample.t);
    }
  }
}

void SloEngine::finish_seed(SloState& slo) {
  for (const auto& [key, carried] : slo.seed->carried) {
    if (carried.memory.empty()) continue;
    for (std::size_t source = 0; source < slo.spec.indicator.sources.size(); ++source) {
      auto* slot = slot_of(slo, source, memory_key(source, key));
      if (slot == nullptr || !slot->memory.empty()) continue;
      slot->memory = carried.memory;
      slot->live_from = slot->memory.newest().t;
      slo.sources.seen(slot->process, slot->memory.newest().t);
    }
  }
  slo.seed.reset();
  slo.seeded = true;
}

void SloEngine::repair_some() {
  for (std::size_t i = 0; i < kRepairsATick && !repairs_.empty(); ++i) {
    auto next = repairs_.front();
    repairs_.erase(repairs_.begin());
    if (next.slo->seed != nullptr) {
      repairs_.push_back(next);
      continue;
    }
    const auto most = std::chrono::floor<minutes>(kMostRepaired);
    if (next.to - next.from > most) {
      repairs_.push_back({next.slo, next.from + most, next.to});
      next.to = next.from + most;
    }
    if (repair(next))
      ++counts_.recounts;
    else
      ++counts_.failed_seeds;
  }
}

Status SloEngine::repair(const Repair& repair) {
  auto& slo = *repair.slo;
  SeedJob job;
  job.count_from = Time{repair.from};
  const auto history = read_history(slo, job.count_from - kLookback, Time{repair.to} - milliseconds{1});
  if (!history) return fail(history.error());
  for (auto& [labels, group] : slo.groups) group->ledger->wipe(number_of(repair.from), number_of(repair.to));
  // Counted on arrival or not: these minutes are empty now.
  for (std::size_t i = 0; i < history->size(); ++i) {
    const bool counter = slo.spec.indicator.sources[i].counter;
    for (const auto& series : (*history)[i]) {
      auto* group = group_of(slo, series.labels);
      if (group == nullptr) continue;
      SeriesMemory memory;
      const auto process = job.sources.find_or_add(series.labels);
      for (const auto& sample : series.samples) {
        if (is_stale(sample.v)) continue;
        const bool from_zero = counter && memory.empty() &&
                               job.sources.start_is_known(process, sample.t, started(job.sources.process_of(process)));
        job.sources.seen(process, sample.t);
        count(slo, *group, i, memory, sample, from_zero, job.count_from);
      }
    }
  }
  return {};
}

}  // namespace ward::collector::slo
