#include <algorithm>
#include <cmath>

#include "collector/promql/function/call_frame.hpp"
#include "collector/promql/lexer.hpp"

// info: adds to each series the labels of the info series (target_info, or what the second argument names) that agree with
// it on `instance` and `job`. Of several info series at one time the newest sample counts.
// Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#info

namespace ward::promql {
namespace {

constexpr std::string_view kDefaultInfo = "target_info";

struct InfoSeries {
  LabelSet labels;
  std::span<const double> seconds;  ///< time of its sample at each step
};

/// The info series of one metric that agree on the identifying labels.
struct Candidates {
  LabelId metric = LabelSpace::kNone;
  std::vector<InfoSeries> series;
};

class Enricher {
 public:
  Enricher(CallFrame& frame, std::span<const Matcher> matchers)
      : frame_(frame), space_(frame.labels()), matchers_(matchers) {
    for (const auto& m : matchers)
      if (m.name() != kNameLabel) wanted_.push_back(m.name());
  }
  void learn(const StepVector& infos);
  Result<StepVector> enrich(const StepVector& base);

 private:
  [[nodiscard]] bool is_info(LabelSet labels) const;
  [[nodiscard]] LabelSet identity(LabelSet labels) { return space_.only(labels, identifying_); }
  [[nodiscard]] bool lives_without_info() const;
  Result<LabelSet> enriched(LabelSet base, std::span<const LabelSet> infos);
  Result<const InfoSeries*> newest(const Candidates& candidates, std::size_t step) const;
  Status put(LabelSet labels, const StepSeries& from, std::size_t step);

  CallFrame& frame_;
  LabelSpace& space_;
  std::span<const Matcher> matchers_;
  std::vector<std::string> wanted_;  ///< data labels asked for; empty: all
  NameSet identifying_{{"instance", "job"}};
  LabelSetIndex identities_;
  std::vector<std::vector<Candidates>> by_identity_;
  LabelSetIndex out_index_;
  StepVector out_;
};

bool Enricher::is_info(LabelSet labels) const {
  const auto name = space_.get(labels, kNameLabel);
  bool asked = false;
  for (const auto& m : matchers_) {
    if (m.name() != kNameLabel) continue;
    asked = true;
    if (!m.matches(name)) return false;
  }
  // A selector of data labels alone names no info metric to leave out.
  return asked || (matchers_.empty() && name == kDefaultInfo);
}

bool Enricher::lives_without_info() const {
  return std::all_of(matchers_.begin(), matchers_.end(),
                     [](const Matcher& m) { return m.name() == kNameLabel || m.matches(""); });
}

void Enricher::learn(const StepVector& infos) {
  for (const auto& s : infos) {
    const auto place = identities_.add(identity(s.labels));
    if (place.is_new) by_identity_.emplace_back();
    auto& metrics = by_identity_[place.number];
    const auto metric = space_.name_id(s.labels);
    auto at = std::find_if(metrics.begin(), metrics.end(), [metric](const Candidates& c) { return c.metric == metric; });
    if (at == metrics.end()) at = metrics.insert(at, {metric, {}});
    at->series.push_back({s.labels, s.row()});
  }
}

Result<const InfoSeries*> Enricher::newest(const Candidates& candidates, std::size_t step) const {
  const InfoSeries* best = nullptr;
  for (const auto& s : candidates.series) {
    if (is_stale(s.seconds[step])) continue;
    if (best != nullptr && best->seconds[step] == s.seconds[step]) {
      const auto shown = [&](const InfoSeries& i) {
        return to_string(space_.labels(i.labels)) + " @ " + std::to_string(std::llround(i.seconds[step] * 1000));
      };
      return fail(Errc::invalid, "found duplicate series for info metric: existing " + shown(*best) + ", new " + shown(s),
                  "Let one info series describe each instance and job.");
    }
    if (best == nullptr || best->seconds[step] < s.seconds[step]) best = &s;
  }
  return best;
}

Result<LabelSet> Enricher::enriched(LabelSet base, std::span<const LabelSet> infos) {
  Labels added;
  for (const auto info : infos) {
    for (const auto id : info.ids()) {
      const auto text = space_.reader().text(id);
      if (text.name == kNameLabel) continue;
      if (!wanted_.empty() && std::find(wanted_.begin(), wanted_.end(), text.name) == wanted_.end()) continue;
      if (const auto other = added.get(text.name); !other.empty() && other != text.value)
        return fail(Errc::invalid, "conflicting label: " + std::string(text.name),
                    "Name the info metric, or the labels wanted, in the second argument.");
      if (space_.get(base, text.name).empty()) added.set(text.name, text.value);
    }
  }
  for (const auto& [name, value] : added) base = space_.with(base, name, value);
  return base;
}

Status Enricher::put(LabelSet labels, const StepSeries& from, std::size_t step) {
  const auto place = out_index_.add(labels);
  if (place.is_new) {
    out_.push_back(frame_.evaluator().new_series(labels));
    out_.back().drop_name = from.drop_name;
  }
  auto& into = out_[place.number];
  if (into.has(step))
    return fail(Errc::invalid, "vector cannot contain metrics with the same labelset",
                "Aggregate, or keep a label that tells the series apart.");
  into.set(step, from.at(step));
  return {};
}

Result<StepVector> Enricher::enrich(const StepVector& base) {
  std::vector<LabelSet> infos;
  std::vector<LabelSet> last_infos;
  for (const auto& s : base) {
    if (auto ok = frame_.budget().tick(); !ok) return fail(ok.error());
    const bool as_it_is = is_info(s.labels);
    const auto own = identity(s.labels);
    const auto place = identities_.add(own);
    if (place.is_new) by_identity_.emplace_back();
    LabelSet labels;
    bool known = false;
    for (std::size_t i = 0; i < s.steps(); ++i) {
      if (!s.has(i)) continue;
      infos.clear();
      for (const auto& candidates : by_identity_[place.number]) {
        const auto found = newest(candidates, i);
        if (!found) return fail(found.error());
        if (*found != nullptr && !as_it_is && own.size() != 0) infos.push_back((*found)->labels);
      }
      if (infos.empty() && !as_it_is && !lives_without_info()) continue;
      if (!known || infos != last_infos) {  // the same at most steps
        auto made = enriched(s.labels, infos);
        if (!made) return fail(made.error());
        labels = *made;
        last_infos = infos;
        known = true;
      }
      if (auto ok = put(labels, s, i); !ok) return fail(ok.error());
    }
  }
  return std::move(out_);
}

}  // namespace

Result<Operand> eval_info(CallFrame& frame) {
  const auto base = frame.vector(0);
  if (!base) return fail(base.error());
  auto& ev = frame.evaluator();
  const auto infos =
      ev.select(ev.query().found_info[&frame.call()], info_modifiers(frame.call()), Evaluator::Take::timestamp);
  if (!infos) return fail(infos.error());
  const auto matchers = frame.args() > 1 ? std::span<const Matcher>{std::get<VectorSelector>(frame.arg(1).data).matchers}
                                         : std::span<const Matcher>{};
  Enricher enricher{frame, matchers};
  enricher.learn(*infos);
  auto out = enricher.enrich(*base);
  if (!out) return fail(out.error());
  return Operand{std::move(*out)};
}

}  // namespace ward::promql
