#include "collector/routing/matcher.hpp"

#include <algorithm>
#include <re2/re2.h>

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

}  // namespace

Result<LabelCondition> LabelCondition::parse(std::string_view text) {
  const auto at = text.find_first_of("=!");
  if (at == std::string_view::npos) return refused(text, "has no operator");
  LabelCondition c;
  c.name_ = trim(text.substr(0, at));
  if (!is_name(c.name_)) return refused(text, "does not begin with a label name");
  auto rest = text.substr(at);
  std::size_t width = 2;
  if (rest.starts_with("=~")) {
    c.op_ = Op::regex;
  } else if (rest.starts_with("!~")) {
    c.op_ = Op::not_regex;
  } else if (rest.starts_with("!=")) {
    c.op_ = Op::not_equal;
  } else if (rest.starts_with("=")) {
    width = 1;
  } else {
    return refused(text, "has an unknown operator");
  }
  auto value = trim(rest.substr(width));
  if (!value.empty() && value.front() == '"') {
    if (value.size() < 2 || value.back() != '"') return refused(text, "has an open quote");
    value = value.substr(1, value.size() - 2);
  }
  c.value_ = value;
  if (c.op_ == Op::regex || c.op_ == Op::not_regex) {
    c.regex_ = std::make_shared<const re2::RE2>(c.value_, re2::RE2::Quiet);
    if (!c.regex_->ok()) return refused(text, "is no regular expression: " + c.regex_->error());
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
