#include "collector/promql/engine.hpp"

#include <algorithm>

#include "collector/promql/evaluator.hpp"
#include "collector/promql/function/function.hpp"

namespace ward::promql {
namespace {

/// All that lives for one run of a query, in the order it depends on each other.
struct Run {
  Run(const Expr& expr, const collector::Queryable& store, const EngineOptions& options, const Clock& clock,
      const QueryRun& wishes, StepRange steps)
      : run(wishes),
        budget(options.limits, clock, {wishes.cancelled, options.stopping}, wishes.memory),
        reader(store.reader()),
        labels(*reader, budget.memory()),
        notes(expr.text()),
        query{options, budget, labels, notes, steps.start, steps.last(), wishes.baselines},
        evaluator(query, steps) {}
  ~Run() {
    if (run.notes != nullptr) *run.notes = std::move(notes).take();
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  QueryRun run;
  Budget budget;
  std::unique_ptr<collector::SeriesReader> reader;
  LabelSpace labels;
  AnnotationList notes;
  QueryContext query;
  Evaluator evaluator;
};

/// Of a series of a result, about: the text of a label is seldom long.
std::uint64_t bytes_of(LabelSet labels, std::size_t points) {
  constexpr std::uint64_t kLabelBytes = sizeof(Label) + 32;
  return sizeof(MatrixSeries) + labels.size() * kLabelBytes + points * sizeof(Sample);
}

Result<Value> windows_value(Run& run, const Node& node) {
  auto& ev = run.evaluator;
  const auto shape = ev.shape(node);
  Matrix out;
  const auto take = [&](const StepSeries& series, std::span<const Sample> samples) -> Status {
    const auto window = WindowCursor{shape, ev.steps(), samples}.at(0);
    if (window.samples.empty()) return {};
    const auto labels = series.drop_name ? run.labels.without_name(series.labels) : series.labels;
    if (auto ok = run.budget.hold(bytes_of(labels, window.samples.size())); !ok) return ok;
    out.push_back({run.labels.labels(labels), {window.samples.begin(), window.samples.end()}});
    return {};
  };
  if (auto ok = ev.each_series(node, shape, take); !ok) return fail(ok.error());
  std::sort(out.begin(), out.end(), [](const MatrixSeries& a, const MatrixSeries& b) { return a.labels < b.labels; });
  return Value{std::move(out)};
}

/// The value of a scalar, string or instant vector node, names dropped that were to go at the end.
Result<Operand> value_of(Run& run, const Node& node) {
  auto value = run.evaluator.eval(node);
  if (!value) return value;
  if (auto* vector = std::get_if<StepVector>(&value->data))
    if (auto ok = drop_marked_names(run.evaluator, *vector); !ok) return fail(ok.error());
  return value;
}

void sort_by_labels(const LabelSpace& labels, StepVector& vector) {
  std::sort(vector.begin(), vector.end(),
            [&labels](const StepSeries& a, const StepSeries& b) { return labels.less(a.labels, b.labels); });
}

Result<Matrix> as_matrix(Run& run, const StepVector& vector, const StepRange& steps) {
  Matrix out;
  for (const auto& s : vector) {
    std::size_t points = 0;
    for (std::size_t i = 0; i < s.steps(); ++i) points += s.has(i) ? 1 : 0;
    if (points == 0) continue;
    if (auto ok = run.budget.hold(bytes_of(s.labels, points)); !ok) return fail(ok.error());
    if (auto ok = run.budget.tick(); !ok) return fail(ok.error());
    auto& series = out.emplace_back();
    series.labels = run.labels.labels(s.labels);
    series.samples.reserve(points);
    for (std::size_t i = 0; i < s.steps(); ++i)
      if (s.has(i)) series.samples.push_back({steps.at(i), s.at(i)});
  }
  return out;
}

/// Does the expression itself say in which order its elements come?
bool ranks(const Node& node) {
  const auto& inner = unwrap_parens(node);
  if (const auto* call = std::get_if<Call>(&inner.data)) return call->function->name.starts_with("sort");
  const auto* aggregate = std::get_if<Aggregate>(&inner.data);
  return aggregate != nullptr && (aggregate->op == AggregateOp::topk || aggregate->op == AggregateOp::bottomk);
}

}  // namespace

Result<Value> Engine::instant(const Expr& expr, const collector::Queryable& store, Time at, QueryRun wishes) const {
  const StepRange steps{at, milliseconds{1}, 1};
  Run run{expr, store, options_, *clock_, wishes, steps};
  if (auto ok = find_series(run.query, expr.root(), steps); !ok) return fail(ok.error());
  if (expr.type() == ValueType::matrix) return windows_value(run, expr.root());
  auto value = value_of(run, expr.root());
  if (!value) return fail(value.error());
  if (auto* text = std::get_if<std::string>(&value->data)) return Value{std::move(*text)};
  if (const auto* scalar = std::get_if<StepScalar>(&value->data)) return Value{scalar->front()};
  auto& vector = std::get<StepVector>(value->data);
  drop_empty(vector);
  if (!ranks(expr.root())) sort_by_labels(run.labels, vector);
  Vector out;
  out.reserve(vector.size());
  for (const auto& s : vector) {
    if (auto ok = run.budget.hold(bytes_of(s.labels, 1)); !ok) return fail(ok.error());
    out.push_back({run.labels.labels(s.labels), s.at(0)});
  }
  return Value{std::move(out)};
}

Result<Matrix> Engine::range(const Expr& expr, const collector::Queryable& store, RangeSpec spec, QueryRun wishes) const {
  if (expr.type() != ValueType::scalar && expr.type() != ValueType::vector)
    return fail(Errc::invalid,
                "invalid expression type \"" + std::string(documented(expr.type())) +
                    "\" for range query, must be Scalar or instant Vector",
                "Ask for it as an instant query.");
  if (spec.step.count() <= 0)
    return fail(Errc::invalid, "zero or negative query resolution step widths are not accepted", "Try a positive integer.");
  if (spec.end < spec.start)
    return fail(Errc::invalid, "end timestamp must not be before start time", "Swap start and end.");
  const auto span = static_cast<std::uint64_t>(to_ms(spec.end)) - static_cast<std::uint64_t>(to_ms(spec.start));
  const std::uint64_t count = span / static_cast<std::uint64_t>(spec.step.count()) + 1;
  const StepRange steps{spec.start, spec.step, static_cast<std::size_t>(count)};
  Run run{expr, store, options_, *clock_, wishes, steps};
  if (auto ok = run.budget.charge(count); !ok) return fail(ok.error());
  if (auto ok = find_series(run.query, expr.root(), steps); !ok) return fail(ok.error());
  auto value = value_of(run, expr.root());
  if (!value) return fail(value.error());
  if (auto* vector = std::get_if<StepVector>(&value->data)) {
    sort_by_labels(run.labels, *vector);
    return as_matrix(run, *vector, steps);
  }
  MatrixSeries series;
  const auto& scalar = std::get<StepScalar>(value->data);
  for (std::size_t i = 0; i < scalar.size(); ++i) series.samples.push_back({steps.at(i), scalar[i]});
  return Matrix{std::move(series)};
}

}  // namespace ward::promql
