// Routes, inhibition and times of an Alertmanager configuration.
#include <algorithm>
#include <optional>
#include <utility>

#include "collector/exchange/alertmanager.hpp"
#include "collector/routing/matcher.hpp"
#include "collector/routing/time_interval.hpp"
#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::collector::exchange {
namespace {

/// Muted at all times; a name that no configuration has by chance.
constexpr auto kNever = "ward-never-told";
/// Alertmanager's default.
constexpr auto kRepeat = "4h";

/// `{a="b", c=~"d"}` or `a="b"`: the conditions in it, split at commas outside of quotes.
std::vector<std::string> conditions_in(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
  std::vector<std::string> out;
  std::string one;
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && in_quotes && i + 1 < text.size()) {
      (one += c) += text[++i];
      continue;
    }
    if (c == '"') in_quotes = !in_quotes;
    if (c != ',' || in_quotes) {
      one += c;
      continue;
    }
    out.push_back(std::exchange(one, {}));
  }
  out.push_back(std::move(one));
  std::erase_if(out, [](const std::string& s) { return trim(s).empty(); });
  return out;
}

std::string print(const LabelCondition& condition) {
  std::string out = condition.name();
  switch (condition.op()) {
    case LabelCondition::Op::equal: out += "="; break;
    case LabelCondition::Op::not_equal: out += "!="; break;
    case LabelCondition::Op::regex: out += "=~"; break;
    case LabelCondition::Op::not_regex: out += "!~"; break;
  }
  out += '"';
  for (const char c : condition.value()) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + '"';
}

/// The three ways of Alertmanager to write conditions, as one list; nullopt when Ward cannot say one of them.
std::optional<Yaml> read_conditions(Source& from, const std::string& prefix, std::string& why) {
  auto out = Yaml::list();
  bool fine = true;
  const auto add = [&](const Result<LabelCondition>& one) {
    if (one) {
      out.add(Yaml::text(print(*one)));
      return;
    }
    fine = false;
    why = one.error().what;
  };
  for (const auto& text : from.texts(prefix + "matchers"))
    for (const auto& condition : conditions_in(text)) add(LabelCondition::parse(trim(condition)));
  for (const auto& [name, value] : from.text_map(prefix + "match"))
    add(LabelCondition::make(name, LabelCondition::Op::equal, value));
  for (const auto& [name, value] : from.text_map(prefix + "match_re"))
    add(LabelCondition::make(name, LabelCondition::Op::regex, value));
  return fine ? std::optional{std::move(out)} : std::nullopt;
}

class Routing {
 public:
  Routing(const AmReceivers& receivers, Notes& notes) : receivers_(receivers), notes_(notes) {}

  AmRouting run(Source& config) {
    read_intervals(config);
    auto route = config.child("route", "the first route");
    root_ = route.text("receiver");
    const auto known = receivers_.names.find(root_);
    if (known == receivers_.names.end())
      notes_.changed(route.at("receiver"), "the receiver of the first route",
                     "Ward has no channel for '" + root_ + "', or it does not exist",
                     "see that '" + first() + "', who is told instead, is right");
    out_.route = *read(std::move(route), Node{.receiver = root_, .is_root = true});
    if (uses_never_) {
      if (out_.intervals.empty()) out_.intervals = Yaml::list();
      auto day = Yaml::map().set("start_time", "00:00").set("end_time", "24:00");
      auto always = Yaml::map().set("times", Yaml::list().add(std::move(day)));
      out_.intervals.add(Yaml::map().set("name", kNever).set("time_intervals", Yaml::list().add(std::move(always))));
    }
    read_inhibition(config);
    out_.root = names_of(root_).empty() ? first() : names_of(root_).front();
    return std::move(out_);
  }

 private:
  struct Node {
    std::string receiver;  ///< Alertmanager's, as inherited
    bool is_root = false;
  };
  struct Times {
    Yaml mute = Yaml::list();
    Yaml active = Yaml::list();
    void into(Yaml& node) const {
      if (!mute.items().empty()) node.set("mute_time_intervals", mute);
      if (!active.items().empty()) node.set("active_time_intervals", active);
    }
  };

  [[nodiscard]] std::string first() const { return receivers_.list.front().find("name")->scalar(); }
  /// Whom Ward tells; empty for nobody.
  [[nodiscard]] std::vector<std::string> names_of(const std::string& receiver) const {
    const auto at = receivers_.names.find(receiver);
    if (at != receivers_.names.end()) return at->second;
    return receiver == root_ ? std::vector{first()} : names_of(root_);
  }

  void read_intervals(Source& config) {
    auto list = Yaml::list();
    for (const auto* key : {"time_intervals", "mute_time_intervals"}) {
      for (const auto& node : config.items(key)) {
        auto named = read_interval(Source(node, std::string("an entry of '") + key + "'", notes_));
        if (named) list.add(std::move(*named));
      }
    }
    if (!list.items().empty()) out_.intervals = std::move(list);
  }

  std::optional<Yaml> read_interval(Source from) {
    const auto name = from.text("name");
    auto spans = Yaml::list();
    for (const auto& node : from.items("time_intervals")) {
      Source span(node, "the time interval '" + name + "'", notes_);
      auto out = Yaml::map();
      for (const auto* key : {"times", "weekdays", "days_of_month", "months", "years", "location"})
        if (auto value = span.raw(key)) out.set(key, text_only(*value));
      span.close();
      spans.add(std::move(out));
    }
    from.close();
    auto named = Yaml::map().set("name", name).set("time_intervals", std::move(spans));
    if (const auto why = flaw(named); !why.empty()) {
      notes_.lost(from.at(), "the time interval '" + name + "'", why,
                  "write it into the Operations document, and into the routes that name it");
      return std::nullopt;
    }
    intervals_.insert(name);
    return named;
  }

  /// Times and numbers as text, so that no reader of YAML counts them in base 60.
  static Yaml text_only(const config::Node& node) {
    if (node.kind() == config::Node::Kind::scalar) return Yaml::text(node.scalar());
    if (node.kind() == config::Node::Kind::sequence) {
      auto out = Yaml::list();
      for (const auto& item : node.items()) out.add(text_only(item));
      return out;
    }
    auto out = Yaml::map();
    for (const auto& [key, value] : node.entries()) out.set(key, text_only(value));
    return out;
  }

  /// What Ward's own reader says of it.
  static std::string flaw(const Yaml& interval) {
    const auto text = write(Yaml::map().set("time_intervals", Yaml::list().add(interval)));
    const auto parsed = config::parse_yaml(text, "interval");
    if (!parsed) return parsed.error().what;
    config::Problems problems;
    config::Section section(parsed->front(), "", problems);
    (void)read_named_intervals(section);
    return problems.empty() ? std::string{} : problems.list().front().what;
  }

  Times read_times(Source& from) {
    Times out;
    const auto read = [&](const char* key, Yaml& into) {
      for (const auto& name : from.texts(key)) {
        if (intervals_.contains(name))
          into.add(Yaml::text(name));
        else
          notes_.lost(from.at(key), "'" + name + "' in '" + key + "' of " + from.whose(), "the time interval is not there",
                      "define it; until then this route tells at those times too");
      }
    };
    read("mute_time_intervals", out.mute);
    read("active_time_intervals", out.active);
    return out;
  }

  /// nullopt for a route that cannot be said: with a condition less it would tell of more than was meant.
  std::optional<Yaml> read(Source from, Node parent) {
    Node own{.receiver = from.text("receiver")};
    if (own.receiver.empty()) own.receiver = parent.receiver;
    const auto at_receiver = from.at("receiver");
    std::string why;
    auto conditions = read_conditions(from, "", why);
    const bool continues = from.flag("continue").value_or(false);
    const auto times = read_times(from);
    const auto repeat = from.text("repeat_interval");
    from.drop({"group_by", "group_wait", "group_interval"}, "one cause is one incident and one page",
              "nothing is to be done");
    if (!conditions) {
      from.raw("routes");
      from.close();
      notes_.lost(from.at(), from.whose() + " and all below it", why, "write its conditions as Ward has them");
      return std::nullopt;
    }
    if (!parent.is_root && !receivers_.names.contains(own.receiver) && own.receiver != parent.receiver)
      notes_.changed(at_receiver, "the receiver of " + from.whose(),
                     "Ward has no channel for '" + own.receiver + "', or it does not exist",
                     "see that the receiver of the first route, who is told instead, is right");
    auto children = Yaml::list();
    bool child_continues = false;
    std::size_t number = 0;
    for (const auto& node : from.items("routes")) {
      auto child = read(Source(node, "route " + std::to_string(++number) + " below " + from.whose(), notes_), own);
      if (!child) continue;
      child_continues = child_continues || child->find("continue") != nullptr;
      children.add(std::move(*child));
    }
    from.close();
    auto out = Yaml::map();
    auto to = names_of(own.receiver);
    out.set("receiver", to.empty() ? (parent.is_root ? first() : silent(own.receiver)) : to.front());
    if (!conditions->items().empty()) out.set("matchers", std::move(*conditions));
    if (continues) out.set("continue", Yaml::bare("true"));
    tell_of_repeat(from, repeat, parent.is_root, out);
    finish(out, {.routes = std::move(children), .continues = child_continues}, to, own, parent.is_root, times);
    return out;
  }

  void tell_of_repeat(Source& from, const std::string& repeat, bool is_root, Yaml& out) {
    if (const auto each = parse_duration(repeat); each && each->count() > 0) {
      out.set("repeat_interval", Yaml::bare(repeat));
    } else if (is_root) {
      out.set("repeat_interval", Yaml::bare(kRepeat));
    } else if (!repeat.empty()) {
      notes_.lost(from.at("repeat_interval"), "'repeat_interval' of " + from.whose(), "it is no duration above zero",
                  "write one like 4h");
    }
    if (is_root)
      notes_.changed(from.at("repeat_interval"), "'repeat_interval'", "Ward tells again only while nobody has acknowledged",
                     "nothing is to be done");
  }

  /// A receiver whose routes are muted, for it has no integrations.
  std::string silent(const std::string& name) {
    if (out_.silent.insert(name).second)
      notes_.changed(
          receivers_.places.at(name), "receiver '" + name + "' tells nobody", "its routes are muted at all times",
          "know that pages that nobody acknowledges still go to the fallback of their owner, where owners have one");
    uses_never_ = true;
    return name;
  }

  struct Children {
    Yaml routes;
    bool continues = false;  ///< one of them does
  };

  /// Alertmanager's receiver may be several of Ward's, or nobody. Then routes without conditions say so: behind the others,
  /// which is reached when none of them matched; where one of them continues, around the others, each time the same, for who
  /// is reached twice is told once.
  void finish(Yaml& out, Children children, const std::vector<std::string>& to, const Node& own, bool is_root,
              const Times& times) {
    const auto never = [] { return Yaml::list().add(Yaml::text(kNever)); };
    const auto put = [](Yaml& node, Yaml routes) {
      if (!routes.items().empty()) node.set("routes", std::move(routes));
    };
    if (to.size() == 1) {
      times.into(out);
      return put(out, std::move(children.routes));
    }
    if (to.empty() && !is_root) {
      out.set("mute_time_intervals", never());
      return put(out, std::move(children.routes));
    }
    if (to.empty()) {
      auto inner = Yaml::map().set("receiver", silent(own.receiver)).set("mute_time_intervals", never());
      put(inner, std::move(children.routes));
      return put(out, Yaml::list().add(std::move(inner)));
    }
    auto routes = children.continues ? Yaml::list() : children.routes;
    for (std::size_t i = 1; i <= to.size(); ++i) {
      auto one = Yaml::map().set("receiver", i < to.size() ? to[i] : to[0]);
      if (i < to.size()) one.set("continue", Yaml::bare("true"));
      times.into(one);
      if (children.continues) put(one, children.routes);
      routes.add(std::move(one));
    }
    put(out, std::move(routes));
  }

  void read_inhibition(Source& config) {
    auto list = Yaml::list();
    for (const auto& node : config.items("inhibit_rules")) {
      Source from(node, "an inhibit rule", notes_);
      auto rule = Yaml::map();
      if (const auto name = from.text("name"); !name.empty()) rule.set("name", name);
      std::string why;
      const auto source = read_conditions(from, "source_", why);
      const auto target = read_conditions(from, "target_", why);
      const auto equal = from.texts("equal");
      from.close();
      if (why.empty() && (source->items().empty() || target->items().empty()))
        why = "without conditions on both sides it would hold back everything";
      if (!why.empty()) {
        notes_.lost(from.at(), "an inhibit rule", why,
                    "write it with source_matchers and target_matchers, or let the ServiceMap say what depends on what");
        continue;
      }
      rule.set("source_matchers", *source).set("target_matchers", *target);
      auto labels = Yaml::list();
      for (const auto& label : equal) labels.add(Yaml::text(label));
      if (!equal.empty()) rule.set("equal", std::move(labels));
      list.add(std::move(rule));
    }
    if (list.items().empty()) return;
    out_.inhibit_rules = std::move(list);
    notes_.changed(config.at("inhibit_rules"), "'inhibit_rules'",
                   "Ward holds back whole incidents, by the labels of their root alerts",
                   "draw dependencies in a ServiceMap: symptoms join the incident of their cause, and need no rule");
  }

  const AmReceivers& receivers_;
  Notes& notes_;
  AmRouting out_;
  std::string root_;
  std::set<std::string> intervals_;
  bool uses_never_ = false;
};

}  // namespace

AmRouting read_am_routing(Source& config, const AmReceivers& receivers, Notes& notes) {
  return Routing{receivers, notes}.run(config);
}

}  // namespace ward::collector::exchange
