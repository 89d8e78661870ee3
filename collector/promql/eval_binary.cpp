#include <algorithm>
#include <unordered_map>

#include "collector/promql/binary_op.hpp"
#include "collector/promql/evaluator.hpp"

namespace ward::promql {
namespace {

Labels signature(const VectorMatching& matching, const Labels& labels) {
  std::vector<Label> kept;
  for (const auto& label : labels) {
    const bool named = std::find(matching.labels.begin(), matching.labels.end(), label.first) != matching.labels.end();
    if (matching.on ? named : !named && label.first != kNameLabel) kept.push_back(label);
  }
  return Labels{std::move(kept)};
}

/// Index of the "one" side by signature, and the check that it is one.
using ByNumber = std::vector<std::vector<std::size_t>>;
ByNumber by_number(const std::vector<std::uint32_t>& numbers, std::size_t count) {
  ByNumber out(count);
  for (std::size_t i = 0; i < numbers.size(); ++i) out[numbers[i]].push_back(i);
  return out;
}

/// The labels of a result: those of the many side, cut or enriched as the matching says.
Labels result_labels(const Binary& b, const Labels& many, const Labels& one) {
  Labels out = many;
  if (!is_comparison(b.op) || b.return_bool) out.erase(kNameLabel);
  const auto& m = b.matching;
  if (m.card == Cardinality::one_to_one) {
    if (m.on) return signature(m, out);
    for (const auto& label : m.labels) out.erase(label);
  }
  for (const auto& label : m.include) out.set(label, one.get(label));
  return out;
}

class Matching {
 public:
  Matching(const Binary& b, StepVector lhs, StepVector rhs)
      : b_(b),
        swapped_(b.matching.card == Cardinality::one_to_many),
        many_(swapped_ ? std::move(rhs) : std::move(lhs)),
        one_(swapped_ ? std::move(lhs) : std::move(rhs)),
        numbers_(signatures(b.matching, many_, one_)),
        ones_(by_number(numbers_.rhs, numbers_.labels.size())) {}

  Result<StepVector> run();

 private:
  [[nodiscard]] Status check_one_side() const;
  [[nodiscard]] tl::unexpected<Error> duplicate(std::uint32_t number, const Labels& a, const Labels& b) const;
  Status match(std::size_t many, std::size_t one, std::vector<std::uint8_t>* taken);
  [[nodiscard]] BinaryOutcome outcome(double many, double one) const {
    return swapped_ ? apply(b_.op, one, many) : apply(b_.op, many, one);
  }

  const Binary& b_;
  bool swapped_;
  StepVector many_;
  StepVector one_;
  Signatures numbers_;
  ByNumber ones_;
  StepVector out_;
  std::unordered_map<Labels, std::size_t> out_index_;
};

tl::unexpected<Error> Matching::duplicate(std::uint32_t number, const Labels& a, const Labels& b) const {
  return fail(Errc::invalid,
              "found duplicate series for the match group " + to_string(numbers_.labels[number]) + " on the " +
                  (swapped_ ? "left" : "right") + " hand-side of the operation: [" + to_string(a) + ", " + to_string(b) +
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

Status Matching::match(std::size_t many, std::size_t one, std::vector<std::uint8_t>* taken) {
  const auto& m = many_[many];
  const auto& o = one_[one];
  const auto labels = result_labels(b_, m.labels, o.labels);
  StepSeries* out = nullptr;
  for (std::size_t i = 0; i < m.steps(); ++i) {
    if (!m.has(i) || !o.has(i)) continue;
    const auto result = outcome(m.at(i), o.at(i));
    if (!result.keep && !b_.return_bool) continue;
    if (out == nullptr) {
      const auto [at, is_new] = out_index_.try_emplace(labels, out_.size());
      if (is_new) out_.emplace_back(labels, m.steps());
      out = &out_[at->second];
    }
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
  std::unordered_map<std::uint32_t, std::vector<std::uint8_t>>
      taken;  // only where several of the many side share a signature
  for (std::size_t i = 0; i < many_.size(); ++i) {
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

Signatures signatures(const VectorMatching& matching, const StepVector& lhs, const StepVector& rhs) {
  Signatures out;
  std::unordered_map<Labels, std::uint32_t> known;
  const auto number = [&](const StepSeries& s) {
    auto labels = signature(matching, s.labels);
    const auto [at, is_new] = known.try_emplace(labels, static_cast<std::uint32_t>(out.labels.size()));
    if (is_new) out.labels.push_back(std::move(labels));
    return at->second;
  };
  for (const auto& s : lhs) out.lhs.push_back(number(s));
  for (const auto& s : rhs) out.rhs.push_back(number(s));
  return out;
}

Result<StepVector> binary_vectors(Evaluator& ev, const Binary& b, StepVector lhs, StepVector rhs) {
  if (auto ok = ev.query().budget.charge(lhs.size() * ev.steps().count); !ok) return fail(ok.error());
  return Matching{b, std::move(lhs), std::move(rhs)}.run();
}

}  // namespace ward::promql
