#include "collector/alerting/template_functions.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <re2/re2.h>

#include "collector/alerting/template.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::templates {
namespace {

using Args = std::span<const Value>;
using Data = TemplateData;

tl::unexpected<Error> wrong(std::string what) { return fail(Errc::invalid, std::move(what), "Mend the template."); }

Result<std::string> text_arg(const Value& v) {
  if (const auto* s = v.as_string()) return *s;
  return wrong("wrong type for value; expected string; got " + std::string(type_name(v)));
}

template <std::string (*convert)(std::string)>
Result<Value> on_text(Args a, const Data&) {
  auto text = text_arg(a[0]);
  if (!text) return fail(text.error());
  return Value(convert(std::move(*text)));
}

template <std::string (*format)(double)>
Result<Value> on_number(Args a, const Data&) {
  auto number = to_float(a[0]);
  if (!number) return fail(number.error());
  return Value(format(*number));
}

std::string percentage(double v) { return sprintf("%.4g%%", std::array{Value(v * 100)}); }

std::string upper(std::string s) {
  for (char& c : s) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return s;
}
std::string lower(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}
std::string title(std::string s) {
  bool inside = false;
  for (char& c : s) {
    if (!inside) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    inside = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '\'' || (c & 0x80) != 0;
  }
  return s;
}
std::string same(std::string s) { return s; }

std::string url_encoded(std::string s) {
  std::string out;
  for (const char c : s) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("-_.~").find(c) != std::string_view::npos) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      std::array<char, 4> hex{};
      std::snprintf(hex.data(), hex.size(), "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += hex.data();
    }
  }
  return out;
}
std::string html_escaped(std::string s) {
  std::string out;
  for (const char c : s) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}
std::string table_link(std::string s) { return "/graph?g0.expr=" + url_encoded(std::move(s)) + "&g0.tab=1"; }
std::string graph_link(std::string s) { return "/graph?g0.expr=" + url_encoded(std::move(s)) + "&g0.tab=0"; }

/// "host:port" and "[v6]:port"; empty port when there is none to take off.
std::pair<std::string, std::string> host_and_port(const std::string& s) {
  const auto colon = s.rfind(':');
  if (colon == std::string::npos) return {s, ""};
  if (s.starts_with('[')) {
    if (s[colon - 1] != ']') return {s, ""};
    return {s.substr(1, colon - 2), s.substr(colon + 1)};
  }
  if (s.find(':') != colon) return {s, ""};  // a bare IPv6 address
  return {s.substr(0, colon), s.substr(colon + 1)};
}
std::string strip_port(std::string s) { return host_and_port(s).first; }
std::string strip_domain(std::string s) {
  const auto [host, port] = host_and_port(s);
  const bool address = host.find(':') != std::string::npos || host.find_first_not_of("0123456789.") == std::string::npos;
  if (address) return s;
  const std::string name = host.substr(0, host.find('.'));
  return port.empty() ? name : name + ":" + port;
}

Result<Value> match(Args a, const Data&) {
  auto pattern = text_arg(a[0]);
  auto text = text_arg(a[1]);
  if (!pattern || !text) return fail(!pattern ? pattern.error() : text.error());
  const RE2 re(*pattern, RE2::Quiet);
  if (!re.ok()) return wrong("error parsing regexp: " + re.error());
  return Value(RE2::PartialMatch(*text, re));
}

/// Go's `$1` and `${name}` in RE2's `\1`; a group that does not exist stands for nothing, as in Go.
std::string rewrite_of(std::string_view go, const RE2& re) {
  std::string out;
  for (std::size_t i = 0; i < go.size(); ++i) {
    if (go[i] == '\\') out += '\\';
    if (go[i] != '$') {
      out += go[i];
      continue;
    }
    if (go.substr(i + 1).starts_with('$')) {
      out += go[++i];
      continue;
    }
    const bool braced = go.substr(i + 1).starts_with('{');
    std::size_t end = i + (braced ? 2 : 1);
    const auto start = end;
    while (end < go.size() && (std::isalnum(static_cast<unsigned char>(go[end])) != 0 || go[end] == '_')) ++end;
    const std::string name(go.substr(start, end - start));
    if (name.empty() || (braced && (end >= go.size() || go[end] != '}'))) {
      out += '$';
      continue;
    }
    int group = -1;
    if (name.find_first_not_of("0123456789") == std::string::npos && name.size() < 3)
      group = std::stoi(name);
    else if (const auto it = re.NamedCapturingGroups().find(name); it != re.NamedCapturingGroups().end())
      group = it->second;
    if (group >= 0 && group <= re.NumberOfCapturingGroups() && group <= 9) out += "\\" + std::to_string(group);
    i = braced ? end : end - 1;
  }
  return out;
}

Result<Value> replace_all(Args a, const Data&) {
  auto pattern = text_arg(a[0]);
  auto replacement = text_arg(a[1]);
  auto text = text_arg(a[2]);
  if (!pattern || !replacement || !text)
    return fail(!pattern ? pattern.error() : !replacement ? replacement.error() : text.error());
  const RE2 re(*pattern, RE2::Quiet);
  if (!re.ok()) return wrong("error parsing regexp: " + re.error());
  RE2::GlobalReplace(&*text, re, rewrite_of(*replacement, re));
  return Value(std::move(*text));
}

Result<Value> query(Args a, const Data& data) {
  auto text = text_arg(a[0]);
  if (!text) return fail(text.error());
  if (!data.query) return wrong("queries are not available here");
  auto vector = data.query(*text);
  if (!vector) return fail(vector.error());
  return to_value(*vector);
}

Result<const List*> list_arg(const Value& v) {
  if (const auto* list = v.as_list()) return list;
  return wrong("can't handle " + to_text(v) + " for arg of type template.queryResult");
}

Result<Value> first(Args a, const Data&) {
  auto list = list_arg(a[0]);
  if (!list) return fail(list.error());
  if ((*list)->empty()) return wrong("first() called on vector with no elements");
  return (*list)->front();
}

Result<const Map*> sample_arg(const Value& v) {
  const auto* map = v.as_map();
  if (map != nullptr && map->contains("Labels") && map->contains("Value")) return map;
  return wrong("can't handle " + to_text(v) + " for arg of type *template.sample");
}

Result<Value> sample_value(Args a, const Data&) {
  auto sample = sample_arg(a[0]);
  if (!sample) return fail(sample.error());
  return (*sample)->at("Value");
}

std::string label_of(const Map& sample, const std::string& name) {
  const auto* labels = sample.at("Labels").as_map();
  const auto it = labels->find(name);
  return it == labels->end() ? std::string{} : to_text(it->second);
}

Result<Value> sample_label(Args a, const Data&) {
  auto name = text_arg(a[0]);
  if (!name) return fail(name.error());
  auto sample = sample_arg(a[1]);
  if (!sample) return fail(sample.error());
  return Value(label_of(**sample, *name));
}

Result<Value> string_value(Args a, const Data&) {
  auto sample = sample_arg(a[0]);
  if (!sample) return fail(sample.error());
  return Value(label_of(**sample, "__value__"));
}

Result<Value> sort_by_label(Args a, const Data&) {
  auto name = text_arg(a[0]);
  if (!name) return fail(name.error());
  auto list = list_arg(a[1]);
  if (!list) return fail(list.error());
  for (const auto& item : **list)
    if (auto sample = sample_arg(item); !sample) return fail(sample.error());
  List sorted = **list;
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Value& x, const Value& y) {
    return label_of(*x.as_map(), *name) < label_of(*y.as_map(), *name);
  });
  return Value(std::move(sorted));
}

Result<Value> args_map(Args a, const Data&) {
  Map map;
  for (std::size_t i = 0; i < a.size(); ++i) map.emplace("arg" + std::to_string(i), a[i]);
  return Value(std::move(map));
}

Result<Value> duration_seconds(Args a, const Data&) {
  auto text = text_arg(a[0]);
  if (!text) return fail(text.error());
  auto d = parse_duration(*text);
  if (!d) return wrong("not a valid duration string: \"" + *text + "\"");
  return Value(to_seconds(*d));
}

Result<Value> equal(Args a, const Data&) {
  for (const auto& other : a.subspan(1)) {
    auto order = compare(a[0], other);
    if (!order) return fail(order.error());
    if (*order == 0) return Value(true);
  }
  return Value(false);
}

template <bool (*holds)(int)>
Result<Value> ordered(Args a, const Data&) {
  auto order = compare(a[0], a[1]);
  if (!order) return fail(order.error());
  return Value(holds(*order));
}
bool differs(int o) { return o != 0; }
bool less(int o) { return o < 0; }
bool less_equal(int o) { return o <= 0; }
bool greater(int o) { return o > 0; }
bool greater_equal(int o) { return o >= 0; }

Result<Value> logical_not(Args a, const Data&) { return Value(!truth(a[0])); }
Result<Value> last_of(Args a, const Data&) { return a.back(); }  // and, or: the runner has stopped at the deciding one

Result<Value> len(Args a, const Data&) {
  const auto size = [](std::size_t n) { return Value(static_cast<std::int64_t>(n)); };
  if (const auto* s = a[0].as_string()) return size(s->size());
  if (const auto* l = a[0].as_list()) return size(l->size());
  if (const auto* m = a[0].as_map()) return size(m->size());
  return wrong("len of type " + std::string(type_name(a[0])));
}

Result<Value> index(Args a, const Data&) {
  Value at = a[0];
  for (const auto& key : a.subspan(1)) {
    if (const auto* list = at.as_list()) {
      const auto* i = key.as_int();
      if (i == nullptr) return wrong("cannot index slice/array with type " + std::string(type_name(key)));
      if (*i < 0 || static_cast<std::size_t>(*i) >= list->size()) return wrong("index out of range: " + std::to_string(*i));
      at = Value((*list)[static_cast<std::size_t>(*i)]);
    } else if (const auto* map = at.as_map()) {
      const auto* name = key.as_string();
      if (name == nullptr) return wrong("value has type " + std::string(type_name(key)) + "; should be string");
      const auto it = map->find(*name);
      at = it == map->end() ? Value(std::string{}) : Value(it->second);
    } else {
      return wrong("can't index item of type " + std::string(type_name(at)));
    }
  }
  return at;
}

Result<Value> print_formatted(Args a, const Data&) {
  auto format = text_arg(a[0]);
  if (!format) return fail(format.error());
  return Value(sprintf(*format, a.subspan(1)));
}

Result<Value> print(Args a, const Data&) {
  std::string out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    // Go sets a blank between two operands when neither is a string.
    if (i > 0 && a[i].as_string() == nullptr && a[i - 1].as_string() == nullptr) out += ' ';
    out += to_text(a[i]);
  }
  return Value(std::move(out));
}

Result<Value> external_url(Args, const Data& data) { return Value(data.external_url); }
Result<Value> path_prefix(Args, const Data& data) {
  const auto host = data.external_url.find("://");
  const auto slash = data.external_url.find('/', host == std::string::npos ? 0 : host + 3);
  return Value(slash == std::string::npos ? std::string{} : data.external_url.substr(slash));
}

constexpr std::array kFunctions{
    Function{"and", 1, -1, last_of},
    Function{"args", 0, -1, args_map},
    Function{"eq", 2, -1, equal},
    Function{"externalURL", 0, 0, external_url},
    Function{"first", 1, 1, first},
    Function{"ge", 2, 2, ordered<greater_equal>},
    Function{"graphLink", 1, 1, on_text<graph_link>},
    Function{"gt", 2, 2, ordered<greater>},
    Function{"html", 1, 1, on_text<html_escaped>},
    Function{"humanize", 1, 1, on_number<humanize>},
    Function{"humanize1024", 1, 1, on_number<humanize1024>},
    Function{"humanizeDuration", 1, 1, on_number<humanize_duration>},
    Function{"humanizePercentage", 1, 1, on_number<percentage>},
    Function{"humanizeTimestamp", 1, 1, on_number<humanize_timestamp>},
    Function{"index", 1, -1, index},
    Function{"label", 2, 2, sample_label},
    Function{"le", 2, 2, ordered<less_equal>},
    Function{"len", 1, 1, len},
    Function{"lt", 2, 2, ordered<less>},
    Function{"match", 2, 2, match},
    Function{"ne", 2, 2, ordered<differs>},
    Function{"not", 1, 1, logical_not},
    Function{"or", 1, -1, last_of},
    Function{"parseDuration", 1, 1, duration_seconds},
    Function{"pathPrefix", 0, 0, path_prefix},
    Function{"print", 0, -1, print},
    Function{"printf", 1, -1, print_formatted},
    Function{"query", 1, 1, query},
    Function{"reReplaceAll", 3, 3, replace_all},
    Function{"safeHtml", 1, 1, on_text<same>},
    Function{"sortByLabel", 2, 2, sort_by_label},
    Function{"stripDomain", 1, 1, on_text<strip_domain>},
    Function{"stripPort", 1, 1, on_text<strip_port>},
    Function{"strvalue", 1, 1, string_value},
    Function{"tableLink", 1, 1, on_text<table_link>},
    Function{"title", 1, 1, on_text<title>},
    Function{"toLower", 1, 1, on_text<lower>},
    Function{"toTime", 1, 1, on_number<humanize_timestamp>},
    Function{"toUpper", 1, 1, on_text<upper>},
    Function{"urlquery", 1, 1, on_text<url_encoded>},
    Function{"value", 1, 1, sample_value},
};

}  // namespace

const Function* find_function(std::string_view name) {
  const auto it = std::find_if(kFunctions.begin(), kFunctions.end(), [&](const Function& f) { return f.name == name; });
  return it == kFunctions.end() ? nullptr : &*it;
}

Value to_value(const Labels& labels) {
  Map map;
  for (const auto& [name, value] : labels) map.emplace(name, Value(value));
  return Value(std::move(map));
}

Value to_value(const Vector& vector) {
  List list;
  for (const auto& sample : vector)
    list.emplace_back(Map{{"Labels", to_value(sample.labels)}, {"Value", Value(sample.value)}});
  return Value(std::move(list));
}

}  // namespace ward::collector::templates
