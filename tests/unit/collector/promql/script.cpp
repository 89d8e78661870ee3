#include "tests/unit/collector/promql/script.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <sstream>

#include "collector/promql/engine.hpp"
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
  Labels labels;
  std::vector<std::optional<double>> values;
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
  enum class Check : std::uint8_t { values, ordered, failure };
  void problem(const Line& line, const std::string& what) {
    failures.push_back(name_ + ":" + std::to_string(line.number) + ": " + what);
  }
  void clear() { head_ = std::make_unique<collector::Head>(collector::HeadOptions{milliseconds{0}}); }
  void load(const Command& command, std::string_view step);
  void instant(const Command& command, std::string_view rest, Check check);
  void range(const Command& command, std::string_view rest);
  void expect_failure(const Command& command, const Error& error);
  void expect_vector(const Command& command, const Vector& got, Check check);
  void expect_in_range(const Command& command, const Expr& expr, Time at, const Vector& instant);
  std::vector<ExpectedSeries> expected(const Command& command);

  std::string name_;
  ward::test::ManualClock clock_;
  Engine engine_{clock_};
  std::unique_ptr<collector::Head> head_;
};

void Runner::run(const Command& command) {
  std::string_view rest = command.head.text;
  const auto word = next_word(rest);
  if (word == "clear") return clear();
  if (word == "load") return load(command, trim(rest));
  const auto check = word == "eval_ordered" ? Check::ordered : word == "eval_fail" ? Check::failure : Check::values;
  if (word != "eval" && check == Check::values) return problem(command.head, "unknown command '" + std::string(word) + "'");
  const auto kind = next_word(rest);
  if (kind == "instant") return instant(command, rest, check);
  if (kind == "range") return range(command, rest);
  problem(command.head, "expected 'instant' or 'range', got '" + std::string(kind) + "'");
}

void Runner::load(const Command& command, std::string_view step_text) {
  const auto step = parse_duration(step_text);
  if (!step) return problem(command.head, step.error().what);
  for (const auto& line : command.body) {
    const auto series = parse_series_description(line.text);
    if (!series) {
      problem(line, series.error().what);
      continue;
    }
    const auto ref = head_->get_or_create(series->labels);
    std::vector<collector::RefSample> samples;
    for (std::size_t i = 0; i < series->values.size(); ++i)
      if (series->values[i]) samples.push_back({ref, {Time{*step * static_cast<std::int64_t>(i)}, *series->values[i]}});
    if (head_->append(samples).appended != samples.size()) problem(line, "some samples were refused");
  }
}

std::vector<ExpectedSeries> Runner::expected(const Command& command) {
  std::vector<ExpectedSeries> out;
  for (const auto& line : command.body) {
    auto series = parse_series_description(line.text);
    if (series)
      out.push_back({std::move(series->labels), std::move(series->values)});
    else
      problem(line, series.error().what);
  }
  return out;
}

void Runner::expect_failure(const Command& command, const Error& error) {
  constexpr std::string_view kMessage = "expected_fail_message ";
  if (command.body.empty()) return;
  const auto& text = command.body.front().text;
  if (!text.starts_with(kMessage)) return problem(command.body.front(), "expected 'expected_fail_message'");
  if (const auto wanted = text.substr(kMessage.size()); error.what != wanted)
    problem(command.body.front(), "expected the error '" + wanted + "', got '" + error.what + "'");
}

void Runner::expect_vector(const Command& command, const Vector& got, Check check) {
  const auto wanted = expected(command);
  std::vector<bool> used(got.size());
  for (std::size_t n = 0; n < wanted.size(); ++n) {
    const auto& line = command.body[n];
    const auto at =
        std::find_if(got.begin(), got.end(), [&](const VectorElement& e) { return e.labels == wanted[n].labels; });
    if (at == got.end()) {
      problem(line, "no element " + to_string(wanted[n].labels));
      continue;
    }
    const auto index = static_cast<std::size_t>(at - got.begin());
    used[index] = true;
    if (wanted[n].values.size() != 1 || !almost_equal(*wanted[n].values[0], at->value))
      problem(line, "got " + format_number(at->value));
    if (check == Check::ordered && index != n) problem(line, "came as number " + std::to_string(index + 1));
  }
  for (std::size_t i = 0; i < got.size(); ++i)
    if (!used[i])
      problem(command.head, "unexpected element " + to_string(got[i].labels) + " " + format_number(got[i].value));
}

void Runner::expect_in_range(const Command& command, const Expr& expr, Time at, const Vector& instant) {
  const auto printed = to_string(expr);
  if (printed.find("start()") != std::string::npos || printed.find("end()") != std::string::npos) return;
  const milliseconds step{60'000};
  const auto matrix = engine_.range(expr, *head_, {at - step, at + step, step});
  if (!matrix) return;  // the neighbours may fail where the middle does not
  Vector middle;
  for (const auto& series : *matrix)
    for (const auto& s : series.samples)
      if (s.t == at) middle.push_back({series.labels, s.v});
  auto sorted = instant;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.labels < b.labels; });
  bool same = sorted.size() == middle.size();
  for (std::size_t i = 0; same && i < sorted.size(); ++i)
    same = sorted[i].labels == middle[i].labels && almost_equal(sorted[i].value, middle[i].value);
  if (!same) problem(command.head, "as a range query it gives another result");
}

void Runner::instant(const Command& command, std::string_view rest, Check check) {
  if (next_word(rest) != "at") return problem(command.head, "expected 'at'");
  const auto at = parse_duration(next_word(rest));
  if (!at) return problem(command.head, at.error().what);
  const auto expr = parse(trim(rest));
  const auto value = expr ? engine_.instant(*expr, *head_, Time{*at}) : Result<Value>{fail(expr.error())};
  if (check == Check::failure) return value ? problem(command.head, "did not fail") : expect_failure(command, value.error());
  if (!value) return problem(command.head, value.error().what);
  if (const auto* vector = std::get_if<Vector>(&*value)) {
    expect_vector(command, *vector, check);
    return expect_in_range(command, *expr, Time{*at}, *vector);
  }
  const auto* scalar = std::get_if<double>(&*value);
  if (scalar == nullptr) return problem(command.head, "is neither a vector nor a scalar");
  if (command.body.size() != 1) return problem(command.head, "expected one line for a scalar");
  std::string_view text = command.body[0].text;
  if (text.starts_with("{}")) text = trim(text.substr(2));
  const auto wanted = parse_series_description("{} " + std::string(text));
  if (!wanted || wanted->values.size() != 1 || !almost_equal(*wanted->values[0], *scalar))
    problem(command.body[0], "got " + format_number(*scalar));
}

void Runner::range(const Command& command, std::string_view rest) {
  const auto field = [&](std::string_view name) -> Result<milliseconds> {
    if (next_word(rest) != name) return fail(Errc::invalid, "expected '" + std::string(name) + "'", "");
    return parse_duration(next_word(rest));
  };
  const auto from = field("from");
  const auto to = field("to");
  const auto step = field("step");
  for (const auto* d : {&from, &to, &step})
    if (!*d) return problem(command.head, d->error().what);
  const auto expr = parse(trim(rest));
  if (!expr) return problem(command.head, expr.error().what);
  const auto matrix = engine_.range(*expr, *head_, {Time{*from}, Time{*to}, *step});
  if (!matrix) return problem(command.head, matrix.error().what);
  const auto wanted = expected(command);
  if (wanted.size() != matrix->size()) problem(command.head, "yields " + std::to_string(matrix->size()) + " series");
  for (std::size_t n = 0; n < wanted.size(); ++n) {
    const auto at =
        std::find_if(matrix->begin(), matrix->end(), [&](const MatrixSeries& s) { return s.labels == wanted[n].labels; });
    if (at == matrix->end()) {
      problem(command.body[n], "no series " + to_string(wanted[n].labels));
      continue;
    }
    std::vector<std::optional<double>> got(static_cast<std::size_t>((*to - *from) / *step) + 1);
    for (const auto& s : at->samples) got[static_cast<std::size_t>((s.t - Time{*from}) / *step)] = s.v;
    bool same = got.size() == wanted[n].values.size();
    for (std::size_t i = 0; same && i < got.size(); ++i)
      same =
          got[i].has_value() == wanted[n].values[i].has_value() && (!got[i] || almost_equal(*got[i], *wanted[n].values[i]));
    std::string shown;
    for (const auto& v : got) shown += " " + show(v);
    if (!same) problem(command.body[n], "got" + shown);
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
