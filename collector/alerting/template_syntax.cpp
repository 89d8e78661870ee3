#include "collector/alerting/template_syntax.hpp"

#include <algorithm>
#include <charconv>

#include "collector/alerting/template_functions.hpp"
#include "collector/alerting/template_lexer.hpp"

namespace ward::collector::templates {
namespace {

using Kind = Token::Kind;

bool is_keyword(std::string_view w) { return w == "if" || w == "with" || w == "range" || w == "else" || w == "end"; }

/// How Go shows a token in "unexpected ...".
std::string shown(const Token& t) {
  if (t.kind == Kind::end) return "EOF";
  if (t.kind == Kind::dot) return "<.>";
  if (t.kind == Kind::field) return "<." + t.text + ">";
  if (t.kind == Kind::word && is_keyword(t.text)) return "<" + t.text + ">";
  if (t.kind == Kind::string) return "\"\\\"" + t.text + "\\\"\"";
  return "\"" + t.text + "\"";
}

Result<Value> number_value(const std::string& text) {
  std::string digits = text;
  std::erase(digits, '_');
  const char* first = digits.data() + (digits.starts_with('+') ? 1 : 0);
  const char* last = digits.data() + digits.size();
  std::int64_t whole = 0;
  const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
  const auto as_whole = hex ? std::from_chars(first + 2, last, whole, 16) : std::from_chars(first, last, whole);
  if (as_whole.ec == std::errc{} && as_whole.ptr == last) return Value(whole);
  double real = 0;
  const auto as_real = std::from_chars(first, last, real);
  if (as_real.ec == std::errc{} && as_real.ptr == last) return Value(real);
  return fail(Errc::invalid, "bad number syntax: \"" + text + "\"", "Write a decimal number.");
}

class Parser {
 public:
  Parser(std::vector<Token> tokens, std::vector<std::string> known)
      : tokens_(std::move(tokens)), variables_(std::move(known)) {}

  Result<std::vector<Node>> run() {
    std::vector<Node> nodes;
    std::string stop;
    auto done = block(nodes, stop, 0);
    if (!done) return fail(done.error());
    if (!stop.empty()) return error<std::vector<Node>>("unexpected {{" + stop + "}}");
    return nodes;
  }

 private:
  static constexpr int kMaxDepth = 40;

  /// Reads nodes until {{end}} or {{else ...}}, whose keyword becomes `stop` ("" at the end of the text).
  Status block(std::vector<Node>& nodes, std::string& stop, int depth) {
    if (depth > kMaxDepth) return error<void>("blocks are nested too deeply");
    while (true) {
      const Token& t = next();
      if (t.kind == Kind::end) return {};
      if (t.kind == Kind::text) {
        nodes.push_back({.kind = Node::Kind::text, .text = t.text, .pipe = {}, .body = {}, .otherwise = {}});
        continue;
      }
      if (peek().kind == Kind::word && (peek().text == "end" || peek().text == "else")) {
        stop = next().text;
        if (stop == "else" && peek().kind == Kind::word && peek().text == "if") return {};
        return expect_close(stop);
      }
      auto node = action(depth);
      if (!node) return fail(node.error());
      nodes.push_back(std::move(*node));
    }
  }

  Result<Node> action(int depth) {
    const Token& t = peek();
    if (t.kind == Kind::word && (t.text == "if" || t.text == "with" || t.text == "range")) {
      const std::string keyword = next().text;
      return control(keyword, depth);
    }
    Node node{.kind = Node::Kind::action, .text = {}, .pipe = {}, .body = {}, .otherwise = {}};
    auto pipe = pipeline("command", Kind::close, depth);
    if (!pipe) return fail(pipe.error());
    node.pipe = std::move(*pipe);
    return node;
  }

  Result<Node> control(const std::string& keyword, int depth) {
    const auto outer = variables_.size();
    Node node;
    node.kind = keyword == "if" ? Node::Kind::branch : keyword == "with" ? Node::Kind::with : Node::Kind::range;
    auto pipe = pipeline(keyword, Kind::close, depth);
    if (!pipe) return fail(pipe.error());
    node.pipe = std::move(*pipe);
    std::string stop;
    auto done = block(node.body, stop, depth + 1);
    if (!done) return fail(done.error());
    if (stop == "else") {
      done = otherwise(node, keyword, stop, depth);
      if (!done) return fail(done.error());
    }
    if (stop.empty()) return error<Node>("unexpected EOF");
    if (stop == "else") return error<Node>("expected end; found {{else}}");
    variables_.resize(outer);
    return node;
  }

  Status otherwise(Node& node, const std::string& keyword, std::string& stop, int depth) {
    const bool chained = peek().kind == Kind::word && peek().text == "if";
    if (!chained) {
      stop.clear();
      return block(node.otherwise, stop, depth + 1);
    }
    if (keyword != "if") return error<void>("unexpected <if> in else");
    if (depth > kMaxDepth) return error<void>("blocks are nested too deeply");
    next();
    auto chain = control("if", depth + 1);  // {{else if}} shares its {{end}} with the chain
    if (!chain) return fail(chain.error());
    node.otherwise.push_back(std::move(*chain));
    stop = "end";
    return {};
  }

  Result<Pipeline> pipeline(const std::string& context, Kind closing, int depth) {
    Pipeline pipe;
    pipe.line = peek().line;
    auto declared = declarations(pipe, context);
    if (!declared) return fail(declared.error());
    while (true) {
      const Token& t = peek();
      if (t.kind == closing) {
        next();
        if (pipe.commands.empty()) return error<Pipeline>("missing value for " + context);
        break;
      }
      if (t.kind == Kind::close) return error<Pipeline>("unclosed left paren");
      if (!starts_operand(t)) return error<Pipeline>("unexpected " + shown(t) + " in " + context);
      auto cmd = command(depth);
      if (!cmd) return fail(cmd.error());
      pipe.commands.push_back(std::move(*cmd));
    }
    for (std::size_t i = 1; i < pipe.commands.size(); ++i) {
      const auto kind = pipe.commands[i].words.front().kind;
      if (kind == Operand::Kind::literal || kind == Operand::Kind::nil || kind == Operand::Kind::dot)
        return error<Pipeline>("non executable command in pipeline stage " + std::to_string(i + 1));
    }
    if (pipe.binding == Pipeline::Binding::declare)
      variables_.insert(variables_.end(), pipe.variables.begin(), pipe.variables.end());
    return pipe;
  }

  /// `$x :=`, `$x =` or, behind range, `$i, $x :=`.
  Status declarations(Pipeline& pipe, const std::string& context) {
    std::vector<std::string> names;
    std::size_t look = at_;
    while (tokens_[look].kind == Kind::variable) {
      names.push_back(tokens_[look++].text);
      if (tokens_[look].kind != Kind::comma) break;
      ++look;
    }
    const auto kind = tokens_[look].kind;
    if (names.empty() || (kind != Kind::declare && kind != Kind::assign)) return {};
    if (names.size() > (context == "range" ? 2U : 1U)) return error<void>("too many declarations in " + context);
    pipe.binding = kind == Kind::declare ? Pipeline::Binding::declare : Pipeline::Binding::assign;
    pipe.variables = std::move(names);
    at_ = look + 1;
    return {};
  }

  Result<Command> command(int depth) {
    Command cmd;
    while (true) {
      if (starts_operand(peek())) {
        if (!cmd.words.empty() && !peek().after_space) return error<Command>("unexpected " + shown(peek()) + " in operand");
        auto word = operand(depth);
        if (!word) return fail(word.error());
        cmd.words.push_back(std::move(*word));
        continue;
      }
      switch (peek().kind) {
        case Kind::pipe: next(); return cmd;
        case Kind::close:
        case Kind::right: return cmd;
        default: return error<Command>("unexpected " + shown(peek()) + " in operand");
      }
    }
  }

  static bool starts_operand(const Token& t) {
    switch (t.kind) {
      case Kind::word: return !is_keyword(t.text);
      case Kind::field:
      case Kind::dot:
      case Kind::variable:
      case Kind::string:
      case Kind::number:
      case Kind::left: return true;
      case Kind::text:
      case Kind::open:
      case Kind::close:
      case Kind::declare:
      case Kind::assign:
      case Kind::comma:
      case Kind::pipe:
      case Kind::right:
      case Kind::other:
      case Kind::end: return false;
    }
    return false;
  }

  Result<Operand> operand(int depth) {
    auto word = plain_operand(depth);
    if (!word) return word;
    while (peek().kind == Kind::field && !peek().after_space) {
      if (word->kind == Operand::Kind::literal || word->kind == Operand::Kind::nil)
        return error<Operand>("unexpected . after term \"" + to_text(word->literal) + "\"");
      word->fields.push_back(next().text);
    }
    if (peek().kind == Kind::dot && !peek().after_space) return error<Operand>("unexpected <.> in operand");
    return word;
  }

  Result<Operand> plain_operand(int depth) {
    const Token t = next();
    Operand out;
    switch (t.kind) {
      case Kind::string:
        out.kind = Operand::Kind::literal;
        out.literal = Value(t.text);
        return out;
      case Kind::number: {
        auto value = number_value(t.text);
        if (!value) return error<Operand>(value.error().what);
        out.kind = Operand::Kind::literal;
        out.literal = *value;
        return out;
      }
      case Kind::variable:
        if (std::find(variables_.begin(), variables_.end(), t.text) == variables_.end())
          return error<Operand>("undefined variable \"" + t.text + "\"");
        out.kind = Operand::Kind::variable;
        out.name = t.text;
        return out;
      case Kind::field: out.fields.push_back(t.text); return out;
      case Kind::left: {
        if (depth > kMaxDepth) return error<Operand>("parentheses are nested too deeply");
        auto inner = pipeline("parenthesized pipeline", Kind::right, depth + 1);
        if (!inner) return fail(inner.error());
        out.kind = Operand::Kind::group;
        out.inner = std::make_shared<const Pipeline>(std::move(*inner));
        return out;
      }
      case Kind::word: return word_operand(t);
      default: return out;  // the dot: starts_operand() let nothing else in
    }
  }

  Result<Operand> word_operand(const Token& t) {
    Operand out;
    if (t.text == "true" || t.text == "false") {
      out.kind = Operand::Kind::literal;
      out.literal = Value(t.text == "true");
    } else if (t.text == "nil") {
      out.kind = Operand::Kind::nil;
    } else if (find_function(t.text) != nullptr) {
      out.kind = Operand::Kind::function;
      out.name = t.text;
    } else {
      return error<Operand>("function \"" + t.text + "\" not defined");
    }
    return out;
  }

  Status expect_close(const std::string& context) {
    if (peek().kind != Kind::close) return error<void>("unexpected " + shown(peek()) + " in " + context);
    next();
    return {};
  }

  [[nodiscard]] const Token& peek() const { return tokens_[at_]; }
  const Token& next() {
    const Token& t = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    return t;
  }
  template <class T>
  [[nodiscard]] Result<T> error(const std::string& what) const {
    return fail(Errc::invalid, std::to_string(peek().line) + ": " + what, "Mend the template.");
  }

  std::vector<Token> tokens_;
  std::vector<std::string> variables_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<Node>> parse_syntax(std::string_view text, std::vector<std::string> known) {
  auto tokens = split(text);
  if (!tokens) return fail(tokens.error());
  return Parser(std::move(*tokens), std::move(known)).run();
}

}  // namespace ward::collector::templates
