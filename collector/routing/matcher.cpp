#include "collector/routing/matcher.hpp"

#include <algorithm>
#include <optional>
#include <re2/re2.h>
#include <utility>

#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

tl::unexpected<Error> refused(std::string_view text, const std::string& why) {
  return fail(Errc::invalid, "matcher '" + std::string(text) + "' " + why,
              "Write it as Alertmanager does: alertname=NodeDown, layer!=data, service=~\"pg.*\".");
}

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// What stands between two quotes, with \" and \\ and \n for what they mean; nullopt when the second quote is missing.
std::optional<std::string> unquote(std::string_view text) {
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') return i + 1 == text.size() ? std::optional<std::string>{std::move(out)} : std::nullopt;
    if (c != '\\' || i + 1 == text.size()) {
      out += c;
      continue;
    }
    const char next = text[++i];
    if (next == 'n')
      out += '\n';
    else if (next == '"' || next == '\\')
      out += next;
    else
      (out += c) += next;  // of a regular expression, such as \d
  }
  return std::nullopt;
}

}  // namespace

Result<LabelCondition> LabelCondition::parse(std::string_view text) {
  const auto at = text.find_first_of("=!");
  if (at == std::string_view::npos) return refused(text, "has no operator");
  const auto name = trim(text.substr(0, at));
  if (!is_name(name)) return refused(text, "does not begin with a label name");
  auto rest = text.substr(at);
  std::size_t width = 2;
  auto op = Op::equal;
  if (rest.starts_with("=~")) {
    op = Op::regex;
  } else if (rest.starts_with("!~")) {
    op = Op::not_regex;
  } else if (rest.starts_with("!=")) {
    op = Op::not_equal;
  } else if (rest.starts_with("=")) {
    width = 1;
  } else {
    return refused(text, "has an unknown operator");
  }
  auto value = trim(rest.substr(width));
  if (value.empty() || value.front() != '"') return make(std::string(name), op, std::string(value));
  const auto unquoted = unquote(value);
  if (!unquoted) return refused(text, "has an open quote");
  return make(std::string(name), op, *unquoted);
}

Result<LabelCondition> LabelCondition::make(std::string name, Op op, std::string value) {
  LabelCondition c;
  c.name_ = std::move(name);
  c.op_ = op;
  c.value_ = std::move(value);
  if (!is_name(c.name_)) return refused(c.name_, "does not begin with a label name");
  if (c.op_ == Op::regex || c.op_ == Op::not_regex) {
    c.regex_ = std::make_shared<const re2::RE2>(c.value_, re2::RE2::Quiet);
    if (!c.regex_->ok()) return refused(c.name_ + "=~" + c.value_, "is no regular expression: " + c.regex_->error());
  }
  return c;
}

bool LabelCondition::holds(const Labels& labels) const {
  const auto value = labels.get(name_);
  const auto matches = [&] { return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_); };
  switch (op_) {
    case Op::equal: return value == value_;
    case Op::not_equal: return value != value_;
    case Op::regex: return matches();
    case Op::not_regex: return !matches();
  }
  return false;
}

bool all_hold(const std::vector<LabelCondition>& conditions, const Labels& labels) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const LabelCondition& c) { return c.holds(labels); });
}

}  // namespace ward::collector
