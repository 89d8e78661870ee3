#include "tests/unit/collector/promql/script.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <re2/re2.h>

#include "collector/promql/engine.hpp"
#include "collector/promql/lexer.hpp"
#include "collector/promql/number.hpp"
#include "collector/promql/series_description.hpp"
#include "collector/tsdb/head.hpp"
#include "common/base/duration.hpp"
#include "common/base/parse.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::promql::test {
namespace {

struct Line {
  std::size_t number = 0;
  std::string text;
};
struct Command {
  Line head;
  std::vector<Line> body;
};
struct ExpectedSeries {
  Line line;
  Labels labels;
  std::vector<std::optional<double>> values;
};
/// A sentence to be matched: whole, by pattern, or whatever it says.
struct ExpectedText {
  Line line;
  std::optional<std::string> whole;
  std::optional<std::string> pattern;
  [[nodiscard]] bool matches(const std::string& text) const {
    if (whole) return text == *whole;
    return !pattern || re2::RE2::PartialMatch(text, *pattern);
  }
};
struct Expectations {
  std::vector<Line> values;  ///< lines that are not `expect`
  std::optional<ExpectedText> fail;
  std::vector<ExpectedText> warnings;
  std::vector<ExpectedText> infos;
  std::optional<std::string> string;
  bool ordered = false;
  bool no_warnings = false;
  bool no_infos = false;
};

std::vector<Command> read_commands(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::vector<Command> out;
  std::string text;
  for (std::size_t number = 1; std::getline(in, text); ++number) {
    if (trim(text).empty() || text.front() == '#') continue;
    const bool indented = text.front() == ' ' || text.front() == '\t';
    Line line{number, std::string(trim(text))};
    if (indented && !out.empty())
      out.back().body.push_back(std::move(line));
    else
      out.push_back({std::move(line), {}});
  }
  return out;
}

bool almost_equal(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  const double size = std::abs(a) + std::abs(b);
  return std::abs(a - b) / std::min(size, std::numeric_limits<double>::max()) < 1e-6;
}

std::string show(std::optional<double> v) { return v ? format_number(*v) : "_"; }

class Runner {
 public:
  explicit Runner(std::string name) : name_(std::move(name)) { clear(); }
  void run(const Command& command);
  std::vector<std::string> failures;

 private:
  void problem(const Line& line, const std::string& what) {
    failures.push_back(name_ + ":" + std::to_string(line.number) + ": " + what);
  }
  void clear() {
    head_ = std::make_unique<collector::Head>(collector::HeadOptions{milliseconds{0}});
    engine_.emplace(clock_);
  }
  void load(const Command& command, std::string_view step);
  void option(const Line& line, std::string_view name);
  Expectations expectations(const Command& command, std::string_view word);
  void add_expectation(Expectations& into, const Line& line, std::string_view rest);
  void instant(const Line& head, std::string_view rest, const Expectations& expected);
  void range(const Line& head, std::string_view rest, const Expectations& expected);
  /// True when evaluation is judged by its failure.
  bool check_failure(const Line& head, const Expectations& expected, const Error* error);
  void check_notes(const Line& head, const Expectations& expected, const Annotations& notes);
  void check_kind(const Line& line, std::string_view kind, const std::vector<ExpectedText>& wanted, bool none,
                  const std::vector<std::string>& got);
  void expect_vector(const Line& head, const Vector& got, const Expectations& expected);
  void expect_matrix(const Line& head, const Matrix& got, RangeSpec spec, const Expectations& expected);
  void expect_in_range(const Line& head, const Expr& expr, Time at, const Vector& instant);
  std::vector<ExpectedSeries> series(const Expectations& expected);

  std::string name_;
  ward::test::ManualClock clock_;
  std::optional<Engine> engine_;
  std::unique_ptr<collector::Head> head_;
};

void Runner::run(const Command& command) {
  std::string_view rest = command.head.text;
  const auto word = next_word(rest);
  if (word == "clear") return clear();
  if (word == "load") return load(command, trim(rest));
  if (word == "option") return option(command.head, trim(rest));
  if (word != "eval" && word != "eval_fail" && word != "eval_ordered" && word != "eval_warn" && word != "eval_info")
    return problem(command.head, "unknown command '" + std::string(word) + "'");
  const auto expected = expectations(command, word);
  const auto kind = next_word(rest);
  if (kind == "instant") return instant(command.head, rest, expected);
  if (kind == "range") return range(command.head, rest, expected);
  problem(command.head, "expected 'instant' or 'range', got '" + std::string(kind) + "'");
}

void Runner::option(const Line& line, std::string_view name) {
  if (name != "delayed_name_removal") return problem(line, "unknown option '" + std::string(name) + "'");
  engine_.emplace(clock_, EngineOptions{.delayed_name_removal = true});
}

void Runner::load(const Command& command, std::string_view step_text) {
  const auto step = parse_duration(step_text);
  if (!step) return problem(command.head, step.error().what);
  for (const auto& line : command.body) {
    const auto described = parse_series_description(line.text);
    if (!described) {
      problem(line, described.error().what);
      continue;
    }
    const auto ref = head_->get_or_create(described->labels);
    std::vector<collector::RefSample> samples;
    for (std::size_t i = 0; i < described->values.size(); ++i)
      if (described->values[i])
        samples.push_back({ref, {Time{*step * static_cast<std::int64_t>(i)}, *described->values[i]}});
    if (head_->append(samples).appended != samples.size()) problem(line, "some samples were refused");
  }
}

Expectations Runner::expectations(const Command& command, std::string_view word) {
  constexpr std::string_view kMessage = "expected_fail_message ";
  Expectations out;
  if (word == "eval_fail") out.fail = ExpectedText{command.head, {}, {}};
  if (word == "eval_warn") out.warnings.push_back({command.head, {}, {}});
  if (word == "eval_info") out.infos.push_back({command.head, {}, {}});
  out.ordered = word == "eval_ordered";
  for (const auto& line : command.body) {
    if (line.text.starts_with("expect "))
      add_expectation(out, line, std::string_view{line.text}.substr(std::string_view{"expect "}.size()));
    else if (line.text.starts_with(kMessage))
      out.fail = ExpectedText{line, line.text.substr(kMessage.size()), {}};
    else
      out.values.push_back(line);
  }
  return out;
}

void Runner::add_expectation(Expectations& into, const Line& line, std::string_view rest) {
  constexpr std::string_view kWhole = "msg:";
  constexpr std::string_view kPattern = "regex:";
  const auto word = next_word(rest);
  rest = trim(rest);
  ExpectedText text{line, {}, {}};
  if (rest.starts_with(kWhole)) text.whole = std::string(trim(rest.substr(kWhole.size())));
  if (rest.starts_with(kPattern)) text.pattern = std::string(trim(rest.substr(kPattern.size())));
  if (word == "fail") {
    into.fail = text;
  } else if (word == "warn") {
    into.warnings.push_back(text);
  } else if (word == "info") {
    into.infos.push_back(text);
  } else if (word == "no_warn") {
    into.no_warnings = true;
  } else if (word == "no_info") {
    into.no_infos = true;
  } else if (word == "ordered") {
    into.ordered = true;
  } else if (const auto string = word == "string" ? unquote(rest) : Result<std::string>{}; word == "string" && string) {
    into.string = *string;
  } else {
    problem(line, "unknown expectation '" + std::string(word) + "'");
  }
}

std::vector<ExpectedSeries> Runner::series(const Expectations& expected) {
  std::vector<ExpectedSeries> out;
  for (const auto& line : expected.values) {
    auto described = parse_series_description(line.text);
    if (described)
      out.push_back({line, std::move(described->labels), std::move(described->values)});
    else
      problem(line, described.error().what);
  }
  return out;
}

bool Runner::check_failure(const Line& head, const Expectations& expected, const Error* error) {
  if (!expected.fail) {
    if (error != nullptr) problem(head, error->what);
    return error != nullptr;
  }
  if (error == nullptr)
    problem(head, "did not fail");
  else if (!expected.fail->matches(error->what))
    problem(expected.fail->line, "expected the error '" +
                                     expected.fail->whole.value_or(expected.fail->pattern.value_or("")) + "', got '" +
                                     error->what + "'");
  return true;
}

void Runner::check_kind(const Line& head, std::string_view kind, const std::vector<ExpectedText>& wanted, bool none,
                        const std::vector<std::string>& got) {
  std::string all;
  for (const auto& text : got) all += " '" + text + "'";
  if (none && !got.empty()) problem(head, "unexpected " + std::string(kind) + ":" + all);
  for (const auto& text : wanted)
    if (std::none_of(got.begin(), got.end(), [&](const std::string& g) { return text.matches(g); }))
      problem(text.line, "no such " + std::string(kind) + " among:" + all);
}

void Runner::check_notes(const Line& head, const Expectations& expected, const Annotations& notes) {
  check_kind(head, "warning", expected.warnings, expected.no_warnings, notes.warnings);
  check_kind(head, "info", expected.infos, expected.no_infos, notes.infos);
}

void Runner::expect_vector(const Line& head, const Vector& got, const Expectations& expected) {
  const auto wanted = series(expected);
  std::vector<bool> used(got.size());
  for (std::size_t n = 0; n < wanted.size(); ++n) {
    const auto& line = wanted[n].line;
    const auto at =
        std::find_if(got.begin(), got.end(), [&](const VectorElement& e) { return e.labels == wanted[n].labels; });
    if (at == got.end()) {
      problem(line, "no element " + to_string(wanted[n].labels));
      continue;
    }
    const auto index = static_cast<std::size_t>(at - got.begin());
    used[index] = true;
    if (wanted[n].values.size() != 1 || !wanted[n].values[0] || !almost_equal(*wanted[n].values[0], at->value))
      problem(line, "got " + format_number(at->value));
    if (expected.ordered && index != n) problem(line, "came as number " + std::to_string(index + 1));
  }
  for (std::size_t i = 0; i < got.size(); ++i)
    if (!used[i]) problem(head, "unexpected element " + to_string(got[i].labels) + " " + format_number(got[i].value));
}

void Runner::expect_in_range(const Line& head, const Expr& expr, Time at, const Vector& instant) {
  const auto printed = to_string(expr);
  if (printed.find("start()") != std::string::npos || printed.find("end()") != std::string::npos) return;
  const milliseconds step{60'000};
  const auto matrix = engine_->range(expr, *head_, {at - step, at + step, step});
  if (!matrix) return;  // the neighbours may fail where the middle does not
  Vector middle;
  for (const auto& one : *matrix)
    for (const auto& s : one.samples)
      if (s.t == at) middle.push_back({one.labels, s.v});
  auto sorted = instant;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.labels < b.labels; });
  bool same = sorted.size() == middle.size();
  for (std::size_t i = 0; same && i < sorted.size(); ++i)
    same = sorted[i].labels == middle[i].labels && almost_equal(sorted[i].value, middle[i].value);
  if (!same) problem(head, "as a range query it gives another result");
}

void Runner::instant(const Line& head, std::string_view rest, const Expectations& expected) {
  if (next_word(rest) != "at") return problem(head, "expected 'at'");
  const auto at = parse_duration(next_word(rest));
  if (!at) return problem(head, at.error().what);
  const auto expr = parse(trim(rest));
  Annotations notes;
  const auto value =
      expr ? engine_->instant(*expr, *head_, Time{*at}, {.notes = &notes}) : Result<Value>{fail(expr.error())};
  if (check_failure(head, expected, value ? nullptr : &value.error())) return;
  check_notes(head, expected, notes);
  if (const auto* vector = std::get_if<Vector>(&*value)) {
    expect_vector(head, *vector, expected);
    return expect_in_range(head, *expr, Time{*at}, *vector);
  }
  if (const auto* text = std::get_if<std::string>(&*value)) {
    if (!expected.string || *expected.string != *text) problem(head, "got the string " + quote(*text));
    return;
  }
  const auto* scalar = std::get_if<double>(&*value);
  if (scalar == nullptr) return problem(head, "is a range vector");
  if (expected.values.size() != 1) return problem(head, "expected one line for a scalar");
  std::string_view text = expected.values[0].text;
  if (text.starts_with("{}")) text = trim(text.substr(2));
  const auto wanted = parse_series_description("{} " + std::string(text));
  if (!wanted || wanted->values.size() != 1 || !wanted->values[0] || !almost_equal(*wanted->values[0], *scalar))
    problem(expected.values[0], "got " + format_number(*scalar));
}

void Runner::range(const Line& head, std::string_view rest, const Expectations& expected) {
  const auto field = [&](std::string_view name) -> Result<milliseconds> {
    if (next_word(rest) != name) return fail(Errc::invalid, "expected '" + std::string(name) + "'", "");
    return parse_duration(next_word(rest));
  };
  const auto from = field("from");
  const auto to = field("to");
  const auto step = field("step");
  for (const auto* d : {&from, &to, &step})
    if (!*d) return problem(head, d->error().what);
  const RangeSpec spec{Time{*from}, Time{*to}, *step};
  const auto expr = parse(trim(rest));
  Annotations notes;
  const auto matrix = expr ? engine_->range(*expr, *head_, spec, {.notes = &notes}) : Result<Matrix>{fail(expr.error())};
  if (check_failure(head, expected, matrix ? nullptr : &matrix.error())) return;
  check_notes(head, expected, notes);
  expect_matrix(head, *matrix, spec, expected);
}

void Runner::expect_matrix(const Line& head, const Matrix& got, RangeSpec spec, const Expectations& expected) {
  const auto all = series(expected);
  if (all.size() != got.size()) problem(head, "yields " + std::to_string(got.size()) + " series");
  for (const auto& wanted : all) {
    const auto at = std::find_if(got.begin(), got.end(), [&](const MatrixSeries& s) { return s.labels == wanted.labels; });
    if (at == got.end()) {
      problem(wanted.line, "no series " + to_string(wanted.labels));
      continue;
    }
    std::vector<std::optional<double>> values(static_cast<std::size_t>((spec.end - spec.start) / spec.step) + 1);
    for (const auto& s : at->samples) values[static_cast<std::size_t>((s.t - spec.start) / spec.step)] = s.v;
    bool same = values.size() == wanted.values.size();
    for (std::size_t i = 0; same && i < values.size(); ++i)
      same = values[i].has_value() == wanted.values[i].has_value() &&
             (!values[i] || almost_equal(*values[i], *wanted.values[i]));
    std::string shown;
    for (const auto& v : values) shown += " " + show(v);
    if (!same) problem(wanted.line, "got" + shown);
  }
}

}  // namespace

std::vector<std::string> run_script(const std::filesystem::path& file) {
  Runner runner{file.filename().string()};
  const auto commands = read_commands(file);
  if (commands.empty()) return {file.string() + ": no commands"};
  for (const auto& command : commands) runner.run(command);
  return std::move(runner.failures);
}

}  // namespace ward::promql::test
