#include "collector/routing/route_tree.hpp"

#include <algorithm>

namespace ward::collector {
namespace {

struct Reader {
  const NamedIntervals& intervals;
  const Targets& targets;
  std::vector<config::Problem>& warnings;

  RouteNode read(config::Section& section, const RouteNode* parent);
  static std::vector<LabelCondition> matchers(config::Section& section);
};

std::vector<LabelCondition> Reader::matchers(config::Section& section) {
  std::vector<LabelCondition> out;
  const auto add = [&](std::string_view key, Result<LabelCondition> one) {
    if (one)
      out.push_back(std::move(*one));
    else
      section.problems().add(section.at(key), one.error().what, one.error().fix);
  };
  for (const auto& text : section.texts("matchers")) add("matchers", LabelCondition::parse(text));
  for (auto& [name, value] : section.text_map("match"))
    add("match", LabelCondition::make(name, LabelCondition::Op::equal, value));
  for (auto& [name, value] : section.text_map("match_re"))
    add("match_re", LabelCondition::make(name, LabelCondition::Op::regex, value));
  return out;
}

RouteNode Reader::read(config::Section& section, const RouteNode* parent) {
  RouteNode out;
  out.receiver = parent == nullptr ? section.text("receiver") : section.text("receiver", parent->receiver);
  targets.check(section, "receiver", out.receiver);
  out.matchers = matchers(section);
  out.continues = section.flag("continue", false);
  out.times = read_active_times(section, intervals);
  out.repeat = section.duration("repeat_interval", parent == nullptr ? milliseconds{0} : parent->repeat);
  const bool bounded = !out.times.mute.empty() || out.times.has_active;
  if (parent == nullptr && (!out.matchers.empty() || out.continues || bounded))
    section.problems().add(section.at(),
                           "the first route has matchers, 'continue' or times, so something would reach nobody",
                           "Move them to a route below it.");
  for (const std::string_view key : {"group_by", "group_wait", "group_interval"}) {
    if (!section.has(key)) continue;
    (void)section.raw(key);
    warnings.push_back({section.at(key), "'" + std::string(key) + "' has no effect: one cause is one incident and one page",
                        "Remove it when it is in the way."});
  }
  for (auto& child : section.children("routes")) out.routes.push_back(read(child, &out));
  section.close();
  return out;
}

void collect(const RouteNode& node, const Labels& labels, std::vector<const RouteNode*>& out) {
  const auto before = out.size();
  for (const auto& child : node.routes) {
    if (!all_hold(child.matchers, labels)) continue;
    collect(child, labels, out);
    if (!child.continues) break;
  }
  if (out.size() == before) out.push_back(&node);
}

void collect(const RouteNode& node, std::vector<std::string>& out) {
  if (std::find(out.begin(), out.end(), node.receiver) == out.end()) out.push_back(node.receiver);
  for (const auto& child : node.routes) collect(child, out);
}

}  // namespace

std::vector<const RouteNode*> matching_routes(const RouteNode& root, const Labels& labels) {
  std::vector<const RouteNode*> out;
  collect(root, labels, out);
  return out;
}

std::vector<std::string> receivers_of(const RouteNode& root) {
  std::vector<std::string> out;
  collect(root, out);
  return out;
}

RouteReading read_route(config::Section& section, const NamedIntervals& intervals, const Targets& targets) {
  RouteReading out;
  if (!section.has("route")) return out;
  auto route = section.child("route");
  Reader reader{.intervals = intervals, .targets = targets, .warnings = out.warnings};
  out.root = reader.read(route, nullptr);
  return out;
}

}  // namespace ward::collector
