#include "common/exposition/line.hpp"

#include <algorithm>

#include "common/base/utf8.hpp"

namespace ward::exposition {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

auto refuse(std::string what) { return tl::unexpected<std::string>(std::move(what)); }

}  // namespace

std::string shown(std::string_view word) {
  constexpr std::size_t kMost = 40;
  std::string out = "'";
  for (const char c : word.substr(0, kMost)) out += c >= ' ' && c < 0x7f ? c : '?';
  return out + (word.size() > kMost ? "...'" : "'");
}

std::string unescape(std::string_view text, Quotes quotes) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    if (next == 'n') {
      out += '\n';
    } else if (next == '\\' || (next == '"' && quotes == Quotes::escaped)) {
      out += next;
    } else {
      out += text[i];
      continue;
    }
    ++i;
  }
  return out;
}

bool Line::take(char c) {
  if (at_end() || text_[at_] != c) return false;
  ++at_;
  return true;
}

bool Line::take(std::string_view word) {
  if (!rest().starts_with(word)) return false;
  at_ += word.size();
  return true;
}

void Line::skip_blanks() {
  while (!at_end() && is_blank(text_[at_])) ++at_;
}

bool Line::take_separator() {
  if (blanks_ == Blanks::single) return take(' ');
  const auto from = at_;
  skip_blanks();
  return at_ > from;
}

std::string_view Line::word() {
  const auto from = at_;
  while (!at_end() && !is_blank(text_[at_])) ++at_;
  return text_.substr(from, at_ - from);
}

std::string Line::seen() const {
  if (at_end()) return "the end of the line";
  return shown(rest().substr(0, 1));
}

std::string_view Line::name(Colons colons) {
  const auto from = at_;
  const auto fits = [&](char c) { return starts_name(c) || (colons == Colons::yes && c == ':'); };
  if (at_end() || !fits(text_[at_])) return {};
  while (!at_end() && (fits(text_[at_]) || is_digit(text_[at_]))) ++at_;
  return text_.substr(from, at_ - from);
}

/// The opening quote is next.
Read<std::string> Line::quoted() {
  const auto from = ++at_;
  while (!at_end() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
  if (at_end()) return refuse("a text in quotes does not end on its line");
  const auto raw = text_.substr(from, at_ - from);
  ++at_;
  if (!is_utf8(raw)) return refuse("a text in quotes is not valid UTF-8");
  return raw.find('\\') == std::string_view::npos ? std::string(raw) : unescape(raw, Quotes::escaped);
}

Read<std::string> Line::metric_name() {
  if (peek() == '"') {
    auto name = quoted();
    if (name && name->empty()) return refuse("the name of the metric is empty");
    return name;
  }
  const auto plain = name(Colons::yes);
  if (plain.empty()) return refuse("expected the name of a metric, saw " + seen());
  return std::string(plain);
}

Read<Series> Line::series(std::size_t most_labels) {
  Series series;
  if (peek() != '{') {
    const auto plain = name(Colons::yes);
    if (plain.empty()) return refuse("expected the name of a metric, saw " + seen());
    series.metric = plain;
    if (blanks_ == Blanks::anywhere && is_blank(peek())) {
      const auto after_name = at_;
      skip_blanks();
      if (peek() != '{') at_ = after_name;  // the separator of the value
    }
  }
  if (peek() == '{')
    if (auto good = braces(&series.metric, series.labels, most_labels); !good) return refuse(std::move(good.error()));
  if (series.metric.empty()) return refuse("the sample has no name");
  return series;
}

Read<std::vector<Label>> Line::labels(std::size_t most_labels) {
  std::vector<Label> labels;
  if (auto good = braces(nullptr, labels, most_labels); !good) return refuse(std::move(good.error()));
  return labels;
}

/// The opening brace is next; `metric` takes a quoted name among the labels.
Read<void> Line::braces(std::string* metric, std::vector<Label>& labels, std::size_t most_labels) {
  ++at_;
  between();
  while (!take('}')) {
    if (auto good = label(metric, labels); !good) return good;
    if (labels.size() > most_labels) return refuse("more than " + std::to_string(most_labels) + " labels");
    between();
    if (peek() != '}' && !take(',')) return refuse("expected ',' or '}' after a label, saw " + seen());
    between();
  }
  std::sort(labels.begin(), labels.end());
  const auto twice =
      std::adjacent_find(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.first == b.first; });
  if (twice != labels.end()) return refuse("label " + shown(twice->first) + " is given twice");
  return {};
}

Read<void> Line::label(std::string* metric, std::vector<Label>& labels) {
  std::string name_here;
  const bool in_quotes = peek() == '"';
  if (in_quotes) {
    auto text = quoted();
    if (!text) return refuse(std::move(text.error()));
    if (text->empty()) return refuse("a name in quotes is empty");
    name_here = std::move(*text);
  } else {
    name_here = name(Colons::no);
    if (name_here.empty()) return refuse("expected the name of a label, saw " + seen());
  }
  between();
  const bool is_metric = in_quotes && (peek() == ',' || peek() == '}');
  std::string value = name_here;
  if (!is_metric) {
    if (!take('=')) return refuse("expected '=' after label " + shown(name_here) + ", saw " + seen());
    between();
    if (peek() != '"') return refuse("expected '\"' to begin the value of label " + shown(name_here) + ", saw " + seen());
    auto text = quoted();
    if (!text) return refuse(std::move(text.error()) + " (label " + shown(name_here) + ")");
    value = std::move(*text);
  }
  if (!is_metric && name_here != kNameLabel) {
    labels.emplace_back(std::move(name_here), std::move(value));
    return {};
  }
  if (metric == nullptr) return refuse("an exemplar has no name");
  if (!metric->empty()) return refuse("the sample has two names");
  *metric = std::move(value);
  return {};
}

}  // namespace ward::exposition
