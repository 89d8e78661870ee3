#include "collector/slo/engine.hpp"

#include <algorithm>
#include <utility>

namespace ward::collector::slo {
namespace {

constexpr std::size_t kRefusedRemembered = 1'000;
constexpr std::string_view kProcessStart = "process_start_time_seconds";

/// A rolling window needs one block more than its length, one by the calendar the days that months differ.
std::int64_t kept_minutes(const SloState& slo) {
  const auto spare = slo.spec.period.rolling ? minutes{kBlockMinutes} : minutes{2 * 1'440};
  return (slo.plan.longest() + spare).count();
}

/// The one name a source selects; empty when it selects by other means.
std::string_view metric_of(const SliSource& source) {
  for (const auto& matcher : source.matchers)
    if (matcher.name() == kNameLabel && matcher.op() == Matcher::Op::equal) return matcher.value();
  return {};
}

bool is_native(const SloSpec& spec) {
  const auto& sources = spec.indicator.sources;
  return !sources.empty() &&
         std::none_of(sources.begin(), sources.end(), [](const SliSource& s) { return s.matchers.empty(); });
}

}  // namespace

Labels project(const Labels& series, const std::vector<std::string>& group_by) {
  std::vector<Label> out;
  for (const auto& name : group_by)
    if (const auto value = series.get(name); !value.empty()) out.emplace_back(name, value);
  return Labels{std::move(out)};
}

std::uint64_t memory_key(std::size_t source, std::uint64_t labels_hash) {
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15ULL;
  return labels_hash ^ (source + 1) * kSpread;
}

SloEngine::SloEngine(Context context) : context_(std::move(context)) {}
SloEngine::~SloEngine() = default;

Result<StoredSlos> SloEngine::load_new(const SloSet& set) const {
  std::vector<std::string> wanted;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& spec : set.slos) {
      auto identity = counting_identity(spec);
      const auto known = [&](const auto& slo) { return slo->identity == identity; };
      if (std::none_of(slos_.begin(), slos_.end(), known)) wanted.push_back(std::move(identity));
    }
  }
  if (context_.store == nullptr || wanted.empty()) return StoredSlos{};
  return context_.store->load(wanted);
}

Result<SloEngine::Reloaded> SloEngine::reload(SloSet set, Time now) {
  auto stored = load_new(set);
  if (!stored) return fail(stored.error());
  const std::scoped_lock lock(mutex_);
  Reloaded out;
  std::vector<std::unique_ptr<SloState>> next;
  for (auto& spec : set.slos) next.push_back(take_over(std::move(spec), now, out.needs_series));
  std::swap(slos_, next);
  // `next` holds what is gone now; its entries are null where an SLO was taken over.
  std::erase(next, nullptr);
  for (auto& gone : next) {
    end_alerts(*gone, now, out.ended);
    for (auto& [labels, group] : gone->groups) {
      remove_rows(*group);
      ledgers_ -= group->ledger ? 1 : 0;
    }
  }
  forget_gone_slots();
  std::erase_if(repairs_, [&](const Repair& r) {
    return std::any_of(next.begin(), next.end(), [&](const auto& gone) { return gone.get() == r.slo; });
  });
  link_composites();
  plan_all();
  index_sources();
  adopt(std::move(*stored), now);
  for (auto& slo : slos_)
    if (!slo->seeded && slo->seed == nullptr) begin_seed(*slo, now);
  return out;
}

std::unique_ptr<SloState> SloEngine::take_over(SloSpec spec, Time now, bool& fresh) {
  auto identity = counting_identity(spec);
  const auto known =
      std::find_if(slos_.begin(), slos_.end(), [&](const auto& slo) { return slo != nullptr && slo->identity == identity; });
  std::unique_ptr<SloState> slo;
  if (known != slos_.end()) {
    slo = std::move(*known);
    if (spec.max_groups > slo->spec.max_groups) {
      fresh = true;  // series of groups that had no room get a place now
      slo->refused.clear();
    }
    if (slo->spec.service != spec.service || slo->spec.freeze != spec.freeze)
      for (auto& [labels, group] : slo->groups) remove_rows(*group);
  } else {
    slo = std::make_unique<SloState>();
    slo->since = now;
    fresh = true;
  }
  slo->identity = std::move(identity);
  slo->spec = std::move(spec);
  slo->native = is_native(slo->spec);
  for (auto& [labels, group] : slo->groups) group->target = target_of(slo->spec, labels);
  return slo;
}

void SloEngine::link_composites() {
  for (auto& slo : slos_) {
    slo->above.clear();
    slo->parts.clear();
    slo->parts_version = 0;
  }
  for (auto& slo : slos_) {
    for (const auto& component : slo->spec.components) {
      const auto part =
          std::find_if(slos_.begin(), slos_.end(), [&](const auto& s) { return s->spec.name == component.slo; });
      slo->parts.push_back(part == slos_.end() ? nullptr : part->get());
      if (part != slos_.end()) (*part)->above.push_back(slo.get());
    }
    if (slo->spec.components.empty()) continue;
    for (auto& [labels, group] : slo->groups) group->parts.clear();
  }
}

void SloEngine::plan_all() {
  for (auto& slo : slos_) {
    std::vector<minutes> above;
    for (const auto* composite : slo->above) {
      const auto plan = plan_windows(composite->spec);
      above.insert(above.end(), plan.lengths.begin(), plan.lengths.end());
    }
    auto plan = plan_windows(slo->spec, above);
    const auto counting = counting_of(slo->spec);
    const bool same = plan == slo->plan && counting == slo->counting;
    slo->plan = std::move(plan);
    slo->counting = counting;
    if (!same) reshape(*slo);
  }
}

void SloEngine::reshape(SloState& slo) {
  for (auto& [labels, group] : slo.groups) {
    remove_rows(*group);
    if (group->ledger) group->ledger->reshape(slo.counting, slo.plan.edges(), kept_minutes(slo));
  }
}

void SloEngine::index_sources() {
  by_metric_.clear();
  by_other_.clear();
  for (auto& slo : slos_) {
    if (!slo->native) continue;
    for (std::size_t i = 0; i < slo->spec.indicator.sources.size(); ++i) {
      const auto metric = metric_of(slo->spec.indicator.sources[i]);
      auto& list = metric.empty() ? by_other_ : by_metric_[std::string(metric)];
      list.push_back({slo.get(), i});
    }
  }
}

void SloEngine::forget_gone_slots() {
  std::vector<const SloState*> alive;
  for (const auto& slo : slos_) alive.push_back(slo.get());
  std::sort(alive.begin(), alive.end());
  for (auto& series : series_)
    std::erase_if(series.slots, [&](const Slot& slot) { return !std::binary_search(alive.begin(), alive.end(), slot.slo); });
}

std::vector<SourceRef> SloEngine::matches(const Labels& labels) const {
  std::vector<SourceRef> out;
  const auto look = [&](const std::vector<SourceRef>& list) {
    for (const auto& ref : list) {
      const auto& matchers = ref.slo->spec.indicator.sources[ref.source].matchers;
      if (std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) { return m.matches(labels.get(m.name())); }))
        out.push_back(ref);
    }
  };
  if (const auto named = by_metric_.find(labels.name()); named != by_metric_.end()) look(named->second);
  look(by_other_);
  return out;
}

void SloEngine::define(std::uint32_t id, const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  define_locked(id, labels);
}

void SloEngine::drop_entry(std::uint32_t id) {
  const auto index = entry_of_[id] - 1;
  by_labels_.erase(series_[index].labels_hash);
  series_[index] = {};
  free_series_.push_back(index);
  entry_of_[id] = 0;
}

void SloEngine::define_locked(std::uint32_t id, const Labels& labels) {
  const bool known = id < entry_of_.size() && entry_of_[id] != 0;
  const auto hash = labels.hash();
  if (known && series_[entry_of_[id] - 1].labels_hash != hash) drop_entry(id);
  const auto found = matches(labels);
  const bool starts = labels.name() == kProcessStart && !slos_.empty();
  if (found.empty() && !starts) return;
  if (id >= entry_of_.size()) entry_of_.resize(static_cast<std::size_t>(id) + 1);
  if (entry_of_[id] == 0) {
    if (free_series_.empty()) {
      free_series_.push_back(static_cast<std::uint32_t>(series_.size()));
      series_.emplace_back();
    }
    entry_of_[id] = free_series_.back() + 1;
    free_series_.pop_back();
    by_labels_[hash] = entry_of_[id] - 1;
  }
  auto& series = series_[entry_of_[id] - 1];
  series.labels_hash = hash;
  if (starts) series.starts = Sources::labels_of(labels).hash();
  for (const auto& [slo, source] : found) {
    const auto same = [&](const Slot& slot) { return slot.slo == slo && slot.source == source; };
    if (std::any_of(series.slots.begin(), series.slots.end(), same)) continue;
    auto* group = group_of(*slo, labels);
    if (group == nullptr) continue;
    series.slots.push_back({.slo = slo,
                            .group = group,
                            .source = static_cast<std::uint32_t>(source),
                            .process = slo->sources.find_or_add(labels),
                            .memory = {},
                            .live_from = {}});
  }
}

GroupState* SloEngine::group_of(SloState& slo, const Labels& series) {
  auto labels = project(series, slo.spec.group_by);
  const auto known = slo.groups.find(labels);
  if (known != slo.groups.end()) return known->second.get();
  if (slo.groups.size() >= slo.spec.max_groups || ledgers_ >= context_.options.max_ledgers) {
    if (slo.refused.size() >= kRefusedRemembered || slo.refused.insert(std::move(labels)).second) ++counts_.refused_groups;
    return nullptr;
  }
  return &make_group(slo, std::move(labels));
}

std::unique_ptr<Ledger> SloEngine::make_ledger(const SloState& slo, const Labels& group) const {
  Ledger::ReadBlock read;
  if (auto* store = context_.store; store != nullptr)
    read = [store, key = LedgerKey{slo.identity, group}](BlockNumber number) { return store->block(key, number); };
  return std::make_unique<Ledger>(slo.counting, slo.plan.edges(), kept_minutes(slo), std::move(read));
}

GroupState& SloEngine::make_group(SloState& slo, Labels labels) {
  auto group = std::make_unique<GroupState>();
  group->labels = labels;
  group->target = target_of(slo.spec, labels);
  group->last_sample = ticked_ ? last_tick_ : slo.since;
  if (slo.spec.components.empty()) {
    group->ledger = make_ledger(slo, labels);
    ++ledgers_;
  }
  ++slo.version;
  return *slo.groups.emplace(std::move(labels), std::move(group)).first->second;
}

SloEngine::Size SloEngine::size() const {
  const std::scoped_lock lock(mutex_);
  Size out;
  out.series = by_labels_.size();
  for (const auto& slo : slos_) {
    for (const auto& [labels, group] : slo->groups) {
      if (!group->ledger) continue;
      ++out.ledgers;
      out.ledger_bytes += group->ledger->bytes();
    }
  }
  return out;
}

EngineCounts SloEngine::counts() const {
  const std::scoped_lock lock(mutex_);
  auto out = counts_;
  for (const auto& slo : slos_)
    for (const auto& [labels, group] : slo->groups)
      if (group->ledger) out.read_failures += group->ledger->read_failures();
  return out;
}

}  // namespace ward::collector::slo
