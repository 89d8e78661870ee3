#include "collector/alerting/template.hpp"

#include <algorithm>

#include "collector/alerting/template_functions.hpp"
#include "collector/alerting/template_syntax.hpp"

namespace ward::collector {

using namespace templates;  // the parts of this very feature

namespace {

constexpr std::size_t kMaxOutput = 64 * 1024;

/// Runs one template over one alert. Errors carry their reason; render() adds the template's name.
class Runner {
 public:
  explicit Runner(const TemplateData& data) : data_(data) {
    root_ = Value(Map{{"Labels", to_value(data.labels)},
                      {"ExternalLabels", to_value(data.external_labels)},
                      {"ExternalURL", Value(data.external_url)},
                      {"Value", Value(data.value)}});
    variables_ = {{"$", root_},
                  {"$labels", to_value(data.labels)},
                  {"$externalLabels", to_value(data.external_labels)},
                  {"$externalURL", Value(data.external_url)},
                  {"$value", Value(data.value)}};
  }

  Result<std::string> run(const std::vector<Node>& nodes) {
    auto done = block(nodes, root_);
    if (!done) return fail(done.error());
    return std::move(out_);
  }

 private:
  Status block(const std::vector<Node>& nodes, const Value& dot) {
    for (const auto& node : nodes) {
      auto done = one(node, dot);
      if (!done) return done;
      if (out_.size() > kMaxOutput)
        return fail(Errc::full, "the text grew over 64 KiB", "Limit the query or range in this template.");
    }
    return {};
  }

  Status one(const Node& node, const Value& dot) {
    if (node.kind == Node::Kind::text) {
      out_ += node.text;
      return {};
    }
    const auto outer = variables_.size();
    auto value = pipeline(node.pipe, dot);
    if (!value) return fail(value.error());
    switch (node.kind) {
      case Node::Kind::text: return {};
      case Node::Kind::action:
        if (node.pipe.binding == Pipeline::Binding::none) out_ += value->is_nil() ? "<no value>" : to_text(*value);
        return {};  // what it declares lives on to the end of the block
      case Node::Kind::branch:
      case Node::Kind::with: {
        const bool with = node.kind == Node::Kind::with;
        auto done = truth(*value) ? block(node.body, with ? *value : dot) : block(node.otherwise, dot);
        variables_.resize(outer);
        return done;
      }
      case Node::Kind::range: {
        auto done = loop(node, *value, dot, outer);
        variables_.resize(outer);
        return done;
      }
    }
    return {};
  }

  Status loop(const Node& node, const Value& over, const Value& dot, std::size_t outer) {
    std::vector<std::pair<Value, Value>> items;
    if (const auto* list = over.as_list()) {
      for (std::size_t i = 0; i < list->size(); ++i) items.emplace_back(Value(static_cast<std::int64_t>(i)), (*list)[i]);
    } else if (const auto* map = over.as_map()) {
      for (const auto& [key, item] : *map) items.emplace_back(Value(key), item);
    } else {
      return fail(Errc::invalid, "range can't iterate over " + to_text(over), "Range over a query result or labels.");
    }
    if (items.empty()) return block(node.otherwise, dot);
    for (const auto& [key, item] : items) {
      variables_.resize(outer);
      if (node.pipe.variables.size() == 1) variables_.emplace_back(node.pipe.variables[0], item);
      if (node.pipe.variables.size() == 2) {
        variables_.emplace_back(node.pipe.variables[0], key);
        variables_.emplace_back(node.pipe.variables[1], item);
      }
      auto done = block(node.body, item);
      if (!done) return done;
    }
    return {};
  }

  Result<Value> pipeline(const Pipeline& pipe, const Value& dot) {
    Value value;
    bool first = true;
    for (const auto& cmd : pipe.commands) {
      auto result = command(cmd, dot, first ? nullptr : &value);
      if (!result) return result;
      value = std::move(*result);
      first = false;
    }
    if (pipe.binding == Pipeline::Binding::declare && pipe.variables.size() == 1)
      variables_.emplace_back(pipe.variables[0], value);
    if (pipe.binding == Pipeline::Binding::assign) {
      auto* slot = find(pipe.variables.back());
      if (slot == nullptr) return fail(Errc::invalid, "undefined variable: " + pipe.variables.back(), "Declare it with :=.");
      *slot = value;
    }
    return value;
  }

  Result<Value> command(const Command& cmd, const Value& dot, const Value* piped) {
    const auto& head = cmd.words.front();
    if (head.kind == Operand::Kind::function) return call(cmd, dot, piped);
    if (head.kind == Operand::Kind::nil) return fail(Errc::invalid, "nil is not a command", "Remove it.");
    if (cmd.words.size() > 1 || piped != nullptr) {
      return fail(Errc::invalid, "can't give argument to non-function " + spelled(head), "Call a function there.");
    }
    return operand(head, dot);
  }

  Result<Value> call(const Command& cmd, const Value& dot, const Value* piped) {
    const auto& head = cmd.words.front();
    const auto* function = find_function(head.name);
    const bool lazy = head.name == "and" || head.name == "or";  // the rest is not evaluated once the answer is known
    std::vector<Value> args;
    for (std::size_t i = 1; i < cmd.words.size(); ++i) {
      auto arg = operand(cmd.words[i], dot);
      if (!arg) return arg;
      args.push_back(std::move(*arg));
      if (lazy && truth(args.back()) == (head.name == "or")) return args.back();
    }
    if (piped != nullptr) args.push_back(*piped);
    const auto given = static_cast<int>(args.size());
    if (given < function->min_args || (function->max_args >= 0 && given > function->max_args)) {
      const std::string want = (function->max_args < 0 ? "at least " : "") + std::to_string(function->min_args);
      return fail(Errc::invalid,
                  "wrong number of args for " + head.name + ": want " + want + " got " + std::to_string(given),
                  "See the reference of template functions.");
    }
    auto result = function->call(args, data_);
    if (!result)
      return fail(result.error().code, "error calling " + head.name + ": " + result.error().what, result.error().fix);
    return fields(std::move(*result), head.fields);
  }

  Result<Value> operand(const Operand& word, const Value& dot) {
    switch (word.kind) {
      case Operand::Kind::literal: return word.literal;
      case Operand::Kind::nil: return Value{};
      case Operand::Kind::dot: return fields(dot, word.fields);
      case Operand::Kind::variable: {
        const auto* slot = find(word.name);
        return slot == nullptr ? Result<Value>{Value{}} : fields(*slot, word.fields);
      }
      case Operand::Kind::function: {
        Command alone;
        alone.words.push_back(word);
        return call(alone, dot, nullptr);
      }
      case Operand::Kind::group: {
        auto value = pipeline(*word.inner, dot);
        return value ? fields(std::move(*value), word.fields) : value;
      }
    }
    return Value{};
  }

  Result<Value> fields(Value value, const std::vector<std::string>& names) const {
    for (const auto& name : names) {
      const auto* map = value.as_map();
      if (map == nullptr) {
        return fail(Errc::invalid, "can't evaluate field " + name + " in type " + std::string(type_name(value)),
                    "Use .Labels, .Value or a label's name.");
      }
      const auto it = map->find(name);
      if (it != map->end()) {
        value = Value(it->second);
      } else if (map->contains("Value") && map->contains("Labels")) {
        return fail(Errc::invalid, "can't evaluate field " + name + " in type struct", "Use .Labels or .Value.");
      } else {
        value = Value(std::string{});  // an absent label is an empty one
      }
    }
    return value;
  }

  Value* find(const std::string& name) {
    const auto it = std::find_if(variables_.rbegin(), variables_.rend(), [&](const auto& v) { return v.first == name; });
    return it == variables_.rend() ? nullptr : &it->second;
  }

  static std::string spelled(const Operand& word) {
    std::string out = word.kind == Operand::Kind::literal ? to_text(word.literal) : word.name;
    for (const auto& field : word.fields) out += "." + field;
    return out.empty() ? "." : out;
  }

  const TemplateData& data_;
  Value root_;
  std::vector<std::pair<std::string, Value>> variables_;
  std::string out_;
};

}  // namespace

Template::Template(std::string name, std::string text, std::shared_ptr<const std::vector<Node>> nodes)
    : name_(std::move(name)), text_(std::move(text)), nodes_(std::move(nodes)) {}

Result<Template> Template::parse(std::string_view alert, std::string_view text) {
  std::string name = "__alert_" + std::string(alert);
  if (text.find("{{") == std::string_view::npos) return Template(std::move(name), std::string(text), nullptr);
  auto nodes = parse_syntax(text, {"$", "$labels", "$externalLabels", "$externalURL", "$value"});
  if (!nodes) return fail(Errc::invalid, "template: " + name + ":" + nodes.error().what, nodes.error().fix);
  return Template(std::move(name), std::string(text), std::make_shared<const std::vector<Node>>(std::move(*nodes)));
}

Template Template::plain(std::string_view text) { return Template({}, std::string(text), nullptr); }

Result<std::string> Template::render(const TemplateData& data) const {
  if (nodes_ == nullptr) return text_;
  auto text = Runner(data).run(*nodes_);
  if (!text) {
    return fail(text.error().code, "error executing template " + name_ + ": template: " + name_ + ": " + text.error().what,
                text.error().fix);
  }
  return text;
}

}  // namespace ward::collector
