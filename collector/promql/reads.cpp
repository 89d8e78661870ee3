#include <algorithm>
#include <array>
#include <utility>

#include "collector/promql/engine.hpp"
#include "collector/promql/function/baseline.hpp"
#include "collector/promql/function/function.hpp"

namespace ward::promql {
namespace {

struct Walk {
  milliseconds selector_lookback;
  std::vector<std::string> metrics;
  bool anything = false;
  milliseconds widest{0};
  milliseconds fresh{0};
  milliseconds past{0};  ///< of the baselines around
  std::vector<std::vector<Matcher>> selectors{};
  std::vector<PresentSelector> present{};
  bool shifted = false;  ///< inside a subquery about another time
  bool inside_absent = false;
  bool asks_absent = false;
  bool asks_present = false;  ///< a selector stands outside of absent()
  std::size_t needs = 1;      ///< samples of a range that the function around it makes a value of

  void visit(const Node& node, milliseconds outer) {
    std::visit([&](const auto& n) { enter(n, outer); }, node.data);
  }
  void enter(const NumberLiteral&, milliseconds) {}
  void enter(const StringLiteral&, milliseconds) {}
  void enter(const VectorSelector& s, milliseconds outer) {
    read(s, outer, selector_lookback);
    look(s, milliseconds{0}, 1);
  }
  void enter(const MatrixSelector& m, milliseconds outer) {
    read(m.vector, outer, m.range);
    look(m.vector, m.range, needs);
  }
  void enter(const Subquery& s, milliseconds outer) {
    const bool before = std::exchange(shifted, shifted || shifts(s.when));
    visit(*s.expr, reach(s.when, outer, s.range));
    shifted = before;
  }
  void enter(const Call& c, milliseconds outer) {
    const bool absent = c.function->name == "absent" || c.function->name == "absent_over_time";
    asks_absent = asks_absent || absent;
    const bool was_inside = std::exchange(inside_absent, inside_absent || absent);
    const auto needed = std::exchange(needs, takes_two(c.function->name) ? 2 : 1);
    const auto season = is_baseline(c) ? season_of(c) : Result<Season>(Season{});
    const auto back = is_baseline(c) && season ? reach_of(*season) : milliseconds{0};
    past += back;
    const bool was_shifted = std::exchange(shifted, shifted || is_baseline(c));
    for (std::size_t n = 0; n < c.args.size(); ++n)
      if (n == 0 || c.function->name != "info") visit(*c.args[n], n == 0 ? outer + back : outer);
    past -= back;
    shifted = was_shifted;
    if (c.function->name == "info") read_info(c, outer);
    inside_absent = was_inside;
    needs = needed;
  }
  void enter(const Aggregate& a, milliseconds outer) {
    visit(*a.expr, outer);
    if (a.param) visit(*a.param, outer);
  }
  void enter(const Binary& b, milliseconds outer) {
    visit(*b.lhs, outer);
    visit(*b.rhs, outer);
  }
  void enter(const Unary& u, milliseconds outer) { visit(*u.expr, outer); }
  void enter(const Paren& p, milliseconds outer) { visit(*p.expr, outer); }

  void look(const VectorSelector& s, milliseconds range, std::size_t samples) {
    asks_present = asks_present || !inside_absent;
    if (!shifted && !shifts(s.when)) present.push_back({s.matchers, range, samples});
  }
  /// Functions that make nothing of a single sample.
  static bool takes_two(std::string_view name) {
    constexpr std::array<std::string_view, 8> kTwo{"rate",   "irate", "increase",       "delta",
                                                   "idelta", "deriv", "predict_linear", "double_exponential_smoothing"};
    return std::find(kTwo.begin(), kTwo.end(), name) != kTwo.end();
  }
  static bool shifts(const TimeModifiers& when) { return when.point != AtPoint::none || when.offset.count() != 0; }
  static milliseconds reach(const TimeModifiers& when, milliseconds outer, milliseconds own) {
    return when.point == AtPoint::fixed ? own : outer + when.offset + own;
  }
  /// info() reads target_info, or what its second argument names.
  void read_info(const Call& c, milliseconds outer) {
    auto info = c.args.size() > 1 ? std::get<VectorSelector>(c.args[1]->data) : VectorSelector{};
    const bool named =
        std::any_of(info.matchers.begin(), info.matchers.end(), [](const Matcher& m) { return m.name() == kNameLabel; });
    if (!named) info.matchers.push_back(*Matcher::make(Matcher::Op::equal, std::string(kNameLabel), "target_info"));
    read(info, outer, selector_lookback);
  }
  void read(const VectorSelector& s, milliseconds outer, milliseconds own) {
    const auto all = reach(s.when, outer, own);
    widest = std::max(widest, all);
    // What a baseline reads is of weeks ago: nothing that comes now is in its sight.
    if (past.count() == 0) fresh = std::max(fresh, all);
    selectors.push_back(s.matchers);
    const auto name = std::find_if(s.matchers.begin(), s.matchers.end(), [](const Matcher& m) {
      return m.name() == kNameLabel && m.op() == Matcher::Op::equal && !m.value().empty();
    });
    if (name == s.matchers.end())
      anything = true;
    else
      metrics.push_back(name->value());
  }
};

}  // namespace

Reads reads_of(const Expr& expr, milliseconds lookback) {
  Walk walk{.selector_lookback = lookback, .metrics = {}};
  walk.visit(expr.root(), milliseconds{0});
  Reads reads{std::move(walk.metrics), walk.widest, walk.fresh, std::move(walk.present),
              walk.asks_absent && !walk.asks_present};
  if (walk.anything) reads.metrics.clear();
  std::sort(reads.metrics.begin(), reads.metrics.end());
  reads.metrics.erase(std::unique(reads.metrics.begin(), reads.metrics.end()), reads.metrics.end());
  return reads;
}

std::vector<std::vector<Matcher>> selectors_of(const Expr& expr) {
  Walk walk{.selector_lookback = milliseconds{0}, .metrics = {}};
  walk.visit(expr.root(), milliseconds{0});
  return std::move(walk.selectors);
}

}  // namespace ward::promql
