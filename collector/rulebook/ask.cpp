#include "collector/rulebook/ask.hpp"

#include <algorithm>
#include <cctype>

#include "collector/promql/parser.hpp"
#include "collector/promql/rewrite.hpp"

namespace ward::collector {
namespace {

/// Labels that keep one customer's answer from another's page.
constexpr const char* kWalls[] = {"tenant", "cluster"};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && static_cast<unsigned char>(c) < 0x80) out += '\\';
    out += c;
  }
  return out;
}

/// The value, or no such label.
std::vector<Matcher> matchers_of(const Labels& scope) {
  std::vector<Matcher> out;
  for (const auto* name : kWalls) {
    const auto value = scope.get(name);
    if (value.empty()) continue;
    auto matcher = Matcher::make(Matcher::Op::regex, name, "|" + escaped(value));
    if (matcher) out.push_back(std::move(*matcher));
  }
  return out;
}

std::optional<bool> answer(const ExpressionCompiler& compiler, const Labels& scope, Time at, const std::string& check) {
  const auto parsed = promql::parse(check);
  if (!parsed) return std::nullopt;
  const auto question = promql::as_question(*parsed);
  const auto own = promql::narrowed(question.value_or(*parsed), matchers_of(scope));
  const auto compiled = compiler.compile(promql::to_string(own));
  if (!compiled) return std::nullopt;
  const auto result = (*compiled)->evaluate(at);
  if (!result || (question && result->empty())) return std::nullopt;
  return std::any_of(result->begin(), result->end(), [](const VectorSample& sample) { return sample.value != 0; });
}

}  // namespace

Ask ask_store(const ExpressionCompiler& compiler, Labels scope, Time at) {
  return [&compiler, scope = std::move(scope), at](const std::string& check) { return answer(compiler, scope, at, check); };
}

}  // namespace ward::collector
