#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collector/alerting/template_value.hpp"
#include "common/base/result.hpp"

namespace ward::collector::templates {

struct Pipeline;

/// One word of a command: a literal, the dot, $variable, function or (pipeline), with the .fields that follow it.
struct Operand {
  enum class Kind : std::uint8_t { literal, nil, dot, variable, function, group };
  Kind kind = Kind::dot;
  Value literal;
  std::string name;
  std::vector<std::string> fields;
  std::shared_ptr<const Pipeline> inner;
};

struct Command {
  std::vector<Operand> words;
};

/// `$x, $y := a b | c`.
struct Pipeline {
  enum class Binding : std::uint8_t { none, declare, assign };
  int line = 1;
  Binding binding = Binding::none;
  std::vector<std::string> variables;
  std::vector<Command> commands;
};

struct Node {
  enum class Kind : std::uint8_t { text, action, branch, with, range };
  Kind kind = Kind::text;
  std::string text;
  Pipeline pipe;
  std::vector<Node> body;
  std::vector<Node> otherwise;
};

/// Parses template text; `known` are the variables defined outside. Errors are worded as Go's text/template words them,
/// without the leading "template: NAME:" ("1: undefined variable \"$label\"").
Result<std::vector<Node>> parse_syntax(std::string_view text, std::vector<std::string> known);

}  // namespace ward::collector::templates
