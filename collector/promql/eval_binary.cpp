#include <algorithm>
#include <unordered_map>

#include "collector/promql/binary_op.hpp"
#include "collector/promql/evaluator.hpp"

// Operators between two vectors: series of both sides that agree on the matching labels meet.

namespace ward::promql {
namespace {

/// Index of the "one" side by signature, and the check that it is one.
using ByNumber = std::vector<std::vector<std::size_t>>;
ByNumber by_number(const std::vector<std::uint32_t>& numbers, std::size_t count) {
  ByNumber out(count);
  for (std::size_t i = 0; i < numbers.size(); ++i) out[numbers[i]].push_back(i);
  return out;
}

NameSet matching_names(const VectorMatching& matching) {
  auto names = matching.labels;
  if (!matching.on) names.emplace_back(kNameLabel);
  return NameSet{std::move(names)};
}

class Matching {
 public:
  Matching(Evaluator& ev, const Binary& b, StepVector lhs, StepVector rhs)
      : ev_(ev),
        b_(b),
        swapped_(b.matching.card == Cardinality::one_to_many),
        drops_name_(!is_comparison(b.op) || b.return_bool),
        names_(matching_names(b.matching)),
        many_(swapped_ ? std::move(rhs) : std::move(lhs)),
        one_(swapped_ ? std::move(lhs) : std::move(rhs)),
        numbers_(signatures(ev.labels(), b.matching, many_, one_)),
        ones_(by_number(numbers_.rhs, numbers_.labels.size())) {}

  Result<StepVector> run();

 private:
  [[nodiscard]] LabelSet result_labels(LabelSet many, LabelSet one);
  [[nodiscard]] Status check_one_side() const;
  [[nodiscard]] tl::unexpected<Error> duplicate(std::uint32_t number, LabelSet a, LabelSet b) const;
  Status match(std::size_t many, std::size_t one, std::vector<std::uint8_t>* taken);
  StepSeries& out_series(LabelSet labels, bool drop_name);
  [[nodiscard]] BinaryOutcome outcome(double many, double one) const {
    return swapped_ ? apply(b_.op, one, many) : apply(b_.op, many, one);
  }

  Evaluator& ev_;
  const Binary& b_;
  bool swapped_;
  bool drops_name_;
  NameSet names_;
  StepVector many_;
  StepVector one_;
  Signatures numbers_;
  ByNumber ones_;
  StepVector out_;
  LabelSetIndex out_index_;
};

/// The labels of a result: those of the many side, cut or enriched as the matching says.
LabelSet Matching::result_labels(LabelSet many, LabelSet one) {
  auto& space = ev_.labels();
  const bool delayed = ev_.query().options.delayed_name_removal;
  auto out = drops_name_ && !delayed ? space.without_name(many) : many;
  const auto& m = b_.matching;
  if (m.card == Cardinality::one_to_one) {
    if (m.on) return space.only(out, names_);
    for (const auto& label : m.labels) out = space.without(out, label);
  }
  for (const auto& label : m.include) out = space.with(out, label, space.get(one, label));
  return out;
}

tl::unexpected<Error> Matching::duplicate(std::uint32_t number, LabelSet a, LabelSet b) const {
  const auto& space = ev_.labels();
  const auto shown = [&space](LabelSet labels) { return to_string(space.labels(labels)); };
  return fail(Errc::invalid,
              "found duplicate series for the match group " + shown(numbers_.labels[number]) + " on the " +
                  (swapped_ ? "left" : "right") + " hand-side of the operation: [" + shown(a) + ", " + shown(b) +
                  "];many-to-many matching not allowed: matching labels must be unique on one side",
              "Name more labels in on() or fewer in ignoring(), or aggregate that side.");
}

Status Matching::check_one_side() const {
  std::vector<std::uint8_t> many_present;
  for (std::size_t number = 0; number < ones_.size(); ++number) {
    const auto& group = ones_[number];
    if (group.size() < 2) continue;
    if (many_present.empty()) {
      many_present.assign(one_[group[0]].steps(), 0);
      for (const auto& s : many_)
        for (std::size_t i = 0; i < s.steps(); ++i)
          if (s.has(i)) many_present[i] = 1;
    }
    for (std::size_t i = 0; i < many_present.size(); ++i) {
      const StepSeries* seen = nullptr;
      for (const auto at : group) {
        if (many_present[i] == 0 || !one_[at].has(i)) continue;
        if (seen != nullptr) return duplicate(static_cast<std::uint32_t>(number), one_[at].labels, seen->labels);
        seen = &one_[at];
      }
    }
  }
  return {};
}

StepSeries& Matching::out_series(LabelSet labels, bool drop_name) {
  const auto place = out_index_.add(labels);
  if (place.is_new) {
    out_.push_back(ev_.new_series(labels));
    out_.back().drop_name = drop_name;
  }
  return out_[place.number];
}

Status Matching::match(std::size_t many, std::size_t one, std::vector<std::uint8_t>* taken) {
  const auto& m = many_[many];
  const auto& o = one_[one];
  StepSeries* out = nullptr;
  for (std::size_t i = 0; i < m.steps(); ++i) {
    if (!m.has(i) || !o.has(i)) continue;
    const auto result = outcome(m.at(i), o.at(i));
    if (!result.keep && !b_.return_bool) continue;
    if (out == nullptr)
      out = &out_series(result_labels(m.labels, o.labels),
                        m.drop_name || (drops_name_ && ev_.query().options.delayed_name_removal));
    if (b_.matching.card == Cardinality::one_to_one) {
      if (out->has(i) || (taken != nullptr && (*taken)[i] != 0))
        return fail(Errc::invalid,
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
                    "Name more labels in on() or fewer in ignoring(), or write group_left or group_right.");
      if (taken != nullptr) (*taken)[i] = 1;
    } else if (out->has(i)) {
      return fail(Errc::invalid, "multiple matches for labels: grouping labels must ensure unique matches",
                  "Name the label that tells the series apart in group_left() or group_right().");
    }
    out->set(i, b_.return_bool ? (result.keep ? 1 : 0) : result.value);
  }
  return {};
}

Result<StepVector> Matching::run() {
  if (many_.empty() || one_.empty()) return StepVector{};
  if (auto ok = check_one_side(); !ok) return fail(ok.error());
  const auto manies = by_number(numbers_.lhs, numbers_.labels.size());
  // Only where several of the many side share a signature.
  std::unordered_map<std::uint32_t, std::vector<std::uint8_t>> taken;
  for (std::size_t i = 0; i < many_.size(); ++i) {
    if (auto ok = ev_.query().budget.tick(); !ok) return fail(ok.error());
    const auto number = numbers_.lhs[i];
    std::vector<std::uint8_t>* steps_taken = nullptr;
    if (manies[number].size() > 1) {
      steps_taken = &taken[number];
      steps_taken->resize(many_[i].steps());
    }
    for (const auto one : ones_[number])
      if (auto ok = match(i, one, steps_taken); !ok) return fail(ok.error());
  }
  return std::move(out_);
}

}  // namespace

Signatures signatures(LabelSpace& space, const VectorMatching& matching, const StepVector& lhs, const StepVector& rhs) {
  auto names = matching_names(matching);
  Signatures out;
  LabelSetIndex known;
  std::vector<LabelId> ids;
  const auto number = [&](const StepSeries& s) {
    if (matching.on)
      space.only(s.labels, names, ids);
    else
      space.without(s.labels, names, ids);
    const auto place = known.add(space, ids);
    if (place.is_new) out.labels.push_back(known[place.number]);
    return place.number;
  };
  out.lhs.reserve(lhs.size());
  out.rhs.reserve(rhs.size());
  for (const auto& s : lhs) out.lhs.push_back(number(s));
  for (const auto& s : rhs) out.rhs.push_back(number(s));
  return out;
}

Result<StepVector> binary_vectors(Evaluator& ev, const Binary& b, StepVector lhs, StepVector rhs) {
  if (auto ok = ev.query().budget.charge(lhs.size() * ev.steps().count); !ok) return fail(ok.error());
  return Matching{ev, b, std::move(lhs), std::move(rhs)}.run();
}

}  // namespace ward::promql
