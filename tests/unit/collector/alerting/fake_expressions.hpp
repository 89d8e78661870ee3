#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collector/alerting/engine.hpp"
#include "collector/alerting/expression.hpp"
#include "collector/alerting/rule_file.hpp"

namespace ward::test {

using namespace collector;  // the room under test

/// Queries answered by a script: the test sets what each query text yields. A query without an answer yields nothing.
class FakeQueries final : public ExpressionCompiler {
 public:
  using Answer = std::function<Result<Vector>(Time)>;

  void set(const std::string& query, Vector result) {
    (*answers_)[query] = [result](Time) -> Result<Vector> { return result; };
  }
  void set_error(const std::string& query, const std::string& what) {
    (*answers_)[query] = [what](Time) -> Result<Vector> { return fail(Errc::unavailable, what, "Wait."); };
  }
  void set_function(const std::string& query, Answer answer) { (*answers_)[query] = std::move(answer); }
  /// compile() refuses this text.
  void reject(const std::string& query, const std::string& what) { rejected_[query] = what; }

  [[nodiscard]] Result<std::shared_ptr<const Expression>> compile(std::string_view text) const override {
    const std::string query(text);
    if (const auto it = rejected_.find(query); it != rejected_.end()) return fail(Errc::invalid, it->second, "Mend it.");
    return std::make_shared<const Fake>(query, answers_);
  }

 private:
  using Answers = std::map<std::string, Answer>;
  class Fake final : public Expression {
   public:
    Fake(std::string query, std::shared_ptr<const Answers> answers)
        : query_(std::move(query)), metrics_{query_.substr(0, query_.find_first_of(" {"))}, answers_(std::move(answers)) {}
    [[nodiscard]] Result<Vector> evaluate(Time at) const override {
      const auto it = answers_->find(query_);
      return it == answers_->end() ? Result<Vector>{Vector{}} : it->second(at);
    }
    [[nodiscard]] const std::vector<std::string>& metrics() const override { return metrics_; }

   private:
    std::string query_;
    std::vector<std::string> metrics_;
    std::shared_ptr<const Answers> answers_;
  };

  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  std::map<std::string, std::string> rejected_;
};

/// Keeps what rules wrote.
class RecordedOutput final : public RuleOutput {
 public:
  struct Write {
    Time at;
    SeriesValue value;
  };
  void write(Time at, std::span<const SeriesValue> series) override {
    for (const auto& value : series) writes.push_back({at, value});
  }
  /// "series = value" of all writes since the last call; "stale" for a stale marker.
  std::vector<std::string> take() {
    std::vector<std::string> lines;
    for (const auto& w : writes)
      lines.push_back(to_string(w.value.series) + " = " +
                      (is_stale(w.value.value) ? "stale" : std::to_string(static_cast<long long>(w.value.value))));
    writes.clear();
    return lines;
  }
  std::vector<Write> writes;
};

/// Loads one rule file for a test; no files beside it exist.
inline RuleLoad load_text(const std::string& text, const ExpressionCompiler& compiler) {
  const std::vector<RuleText> files{{"pack.yaml", text}};
  return parse_rules(files, compiler, {}, [](const std::string& path) -> Result<std::string> {
    return fail(Errc::not_found, path, "Write it.");
  });
}

}  // namespace ward::test
