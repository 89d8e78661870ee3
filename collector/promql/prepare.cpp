#include <algorithm>

#include "collector/promql/evaluator.hpp"
#include "collector/promql/function/baseline.hpp"
#include "collector/promql/function/function.hpp"

// Before a query is evaluated: the series of every selector are found, over the widest times it can ask for. Found all at
// once, a label pair has one number through the whole query.

namespace ward::promql {
namespace {

struct Span {
  Time first;
  Time last;
};

class Finder {
 public:
  explicit Finder(QueryContext& query) : query_(query) {}
  Status visit(const Node& node, Span steps) {
    return std::visit([&](const auto& n) { return enter(n, steps); }, node.data);
  }

 private:
  Status enter(const NumberLiteral&, Span) { return {}; }
  Status enter(const StringLiteral&, Span) { return {}; }
  Status enter(const VectorSelector& s, Span steps) { return find(s, steps, query_.options.lookback); }
  Status enter(const MatrixSelector& m, Span steps) { return find(m.vector, steps, m.range); }
  Status enter(const Subquery& s, Span steps) {
    const auto ends = moved(s.when, steps);
    const auto inner = subquery_steps(s, query_.options, query_.budget, ends.first, ends.last);
    if (!inner) return fail(inner.error());
    return inner->count == 0 ? Status{} : visit(*s.expr, {inner->start, inner->last()});
  }
  Status enter(const Call& c, Span steps) {
    const bool info = c.function->name == "info";
    for (std::size_t n = 0; n < c.args.size(); ++n) {
      if (info && n == 1) continue;
      auto own = steps;
      if (n == 0 && is_baseline(c)) {
        const auto season = season_of(c);
        if (!season) return fail(season.error());
        own.first = earlier_by(steps.first, reach_of(*season));
      }
      if (auto ok = visit(*c.args[n], own); !ok) return ok;
    }
    return info ? find_info(c, steps) : Status{};
  }
  Status enter(const Aggregate& a, Span steps) {
    if (auto ok = visit(*a.expr, steps); !ok) return ok;
    return a.param ? visit(*a.param, steps) : Status{};
  }
  Status enter(const Binary& b, Span steps) {
    if (auto ok = visit(*b.lhs, steps); !ok) return ok;
    return visit(*b.rhs, steps);
  }
  Status enter(const Unary& u, Span steps) { return visit(*u.expr, steps); }
  Status enter(const Paren& p, Span steps) { return visit(*p.expr, steps); }

  [[nodiscard]] Span moved(const TimeModifiers& when, Span steps) const {
    switch (when.point) {
      case AtPoint::none: break;
      case AtPoint::fixed: steps = {when.at, when.at}; break;
      case AtPoint::start: steps = {query_.start, query_.start}; break;
      case AtPoint::end: steps = {query_.end, query_.end}; break;
    }
    return {earlier_by(steps.first, when.offset), earlier_by(steps.last, when.offset)};
  }
  Status find(const VectorSelector& s, Span steps, milliseconds back) {
    if (auto ok = query_.budget.check_time(); !ok) return ok;
    const auto span = moved(s.when, steps);
    auto found =
        query_.labels.reader().find(s.matchers, earlier_by(earlier_by(span.first, back), milliseconds{-1}), span.last);
    if (!found) return fail(found.error());
    query_.found[&s] = std::move(*found);
    return {};
  }
  Status find_info(const Call& c, Span steps);

  QueryContext& query_;
};

/// The selector behind info()'s first argument tells the times: the enriching series are read where it reads.
const TimeModifiers* first_modifiers(const Node& node) {
  if (const auto* v = std::get_if<VectorSelector>(&node.data)) return &v->when;
  if (const auto* m = std::get_if<MatrixSelector>(&node.data)) return &m->vector.when;
  if (const auto* s = std::get_if<Subquery>(&node.data)) return first_modifiers(*s->expr);
  if (const auto* p = std::get_if<Paren>(&node.data)) return first_modifiers(*p->expr);
  if (const auto* u = std::get_if<Unary>(&node.data)) return first_modifiers(*u->expr);
  if (const auto* a = std::get_if<Aggregate>(&node.data)) return first_modifiers(*a->expr);
  if (const auto* b = std::get_if<Binary>(&node.data)) {
    const auto* left = first_modifiers(*b->lhs);
    return left != nullptr ? left : first_modifiers(*b->rhs);
  }
  if (const auto* c = std::get_if<Call>(&node.data))
    for (const auto& arg : c->args)
      if (const auto* when = first_modifiers(*arg)) return when;
  return nullptr;
}

Status Finder::find_info(const Call& c, Span steps) {
  auto matchers = c.args.size() > 1 ? std::get<VectorSelector>(c.args[1]->data).matchers : std::vector<Matcher>{};
  const bool named = std::any_of(matchers.begin(), matchers.end(), [](const Matcher& m) { return m.name() == kNameLabel; });
  if (!named) matchers.push_back(*Matcher::make(Matcher::Op::equal, std::string(kNameLabel), "target_info"));
  const auto when = info_modifiers(c);
  const auto span = moved(when, steps);
  auto found = query_.labels.reader().find(
      matchers, earlier_by(earlier_by(span.first, query_.options.lookback), milliseconds{-1}), span.last);
  if (!found) return fail(found.error());
  query_.found_info[&c] = std::move(*found);
  return {};
}

}  // namespace

TimeModifiers info_modifiers(const Call& c) {
  const auto* when = first_modifiers(*c.args[0]);
  return when == nullptr ? TimeModifiers{} : *when;
}

Status find_series(QueryContext& query, const Node& root, StepRange steps) {
  return Finder{query}.visit(root, {steps.start, steps.last()});
}

namespace {

constexpr std::string_view kAsksForTime[] = {
    "time",   "timestamp", "days_in_month", "day_of_month",   "day_of_week",   "day_of_year",      "hour",
    "minute", "month",     "year",          "predict_linear", "ward_baseline", "ward_baseline_mad"};

struct Invariance {
  bool operator()(const NumberLiteral&) const { return true; }
  bool operator()(const StringLiteral&) const { return true; }
  bool operator()(const VectorSelector& s) const { return s.when.point != AtPoint::none; }
  bool operator()(const MatrixSelector& m) const { return m.vector.when.point != AtPoint::none; }
  bool operator()(const Subquery& s) const { return s.when.point != AtPoint::none; }
  bool operator()(const Call& c) const {
    if (std::find(std::begin(kAsksForTime), std::end(kAsksForTime), c.function->name) != std::end(kAsksForTime))
      return false;
    return std::all_of(c.args.begin(), c.args.end(), [](const NodePtr& arg) { return is_step_invariant(*arg); });
  }
  bool operator()(const Aggregate& a) const {
    return is_step_invariant(*a.expr) && (!a.param || is_step_invariant(*a.param));
  }
  bool operator()(const Binary& b) const { return is_step_invariant(*b.lhs) && is_step_invariant(*b.rhs); }
  bool operator()(const Unary& u) const { return is_step_invariant(*u.expr); }
  bool operator()(const Paren& p) const { return is_step_invariant(*p.expr); }
};

}  // namespace

bool is_step_invariant(const Node& node) { return std::visit(Invariance{}, node.data); }

}  // namespace ward::promql
