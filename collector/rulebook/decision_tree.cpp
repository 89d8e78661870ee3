#include "collector/rulebook/decision_tree.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace ward::collector {
namespace {

/// Walks a tree's ways; reports each way back and remembers what it reached.
class WayCheck {
 public:
  WayCheck(const DecisionTree& tree, const std::map<std::string, config::Position>& places, config::Problems& problems)
      : tree_(tree), places_(places), problems_(problems) {}

  void run() {
    if (tree_.nodes.empty()) return;
    visit(tree_.nodes.front());
    for (const auto& node : tree_.nodes)
      if (!reached_.contains(node.name))
        problems_.add(places_.at(node.name),
                      "nothing leads to the node '" + node.name + "' of decision tree '" + tree_.name + "'",
                      "Name it in a 'then' or 'else', or remove it; the first node is where the tree begins.");
  }

 private:
  void visit(const TreeNode& node) {
    reached_.insert(node.name);
    path_.insert(node.name);
    for (const auto* way : {&node.yes, &node.no, &node.unknown}) {
      if (way->empty()) continue;
      const auto* next = tree_.find(*way);
      if (next == nullptr)
        problems_.add(places_.at(node.name),
                      "'" + node.name + "' leads to '" + *way + "', which is no node of decision tree '" + tree_.name + "'",
                      "Add the node, or name one that is there.");
      else if (path_.contains(*way))
        problems_.add(places_.at(node.name), "'" + node.name + "' leads back to '" + *way + "', so nobody would ever arrive",
                      "Let every way end at a 'do'.");
      else if (!reached_.contains(*way))
        visit(*next);
    }
    path_.erase(node.name);
  }

  const DecisionTree& tree_;
  const std::map<std::string, config::Position>& places_;
  config::Problems& problems_;
  std::set<std::string> reached_;
  std::set<std::string> path_;
};

void read_question(TreeNode& node, config::Section& from, const TreeChecks& checks) {
  node.check = from.text("check");
  node.yes = from.text("then");
  node.no = from.text("else");
  node.unknown = from.text("unknown", "");
  if (node.check.empty()) return;
  if (const auto flaw = checks.flaw_of_query(node.check))
    from.problems().add(from.at("check"), "could not parse expression: " + *flaw, "Write it in PromQL.");
}

void read_action(TreeNode& node, config::Section& from, const TreeChecks& checks) {
  node.action = from.text("do");
  node.approve = from.text("approve", "");
  node.verify = from.text("verify", "");
  if (!node.action.empty())
    if (const auto flaw = checks.flaw_of_runbook(node.action))
      from.problems().add(from.at("do"), *flaw, "Name a runbook and a heading in it, for example runbooks/pg.md#failover.");
  if (!node.verify.empty())
    if (const auto flaw = checks.flaw_of_query(node.verify))
      from.problems().add(from.at("verify"), "could not parse expression: " + *flaw, "Write it in PromQL.");
}

std::string words_of(const TreeNode& node) {
  if (!node.title.empty()) return node.title;
  return node.check.empty() ? node.action : node.check;
}

}  // namespace

const TreeNode* DecisionTree::find(std::string_view node) const {
  const auto it = std::find_if(nodes.begin(), nodes.end(), [&](const TreeNode& n) { return n.name == node; });
  return it == nodes.end() ? nullptr : &*it;
}

TreeWalk walk(const DecisionTree& tree, const Ask& ask) {
  TreeWalk out;
  const auto* node = tree.nodes.empty() ? nullptr : &tree.nodes.front();
  // A tree has no way back, so this ends; the bound is for one that was not read by read_decision_tree().
  while (node != nullptr && !node->check.empty() && out.answers.size() < tree.nodes.size()) {
    const auto holds = ask(node->check);
    out.answers.push_back({node, holds});
    node = tree.find(!holds ? node->unknown : *holds ? node->yes : node->no);
  }
  if (node != nullptr && node->check.empty()) out.leaf = node;
  return out;
}

std::string in_words(const DecisionTree& tree, const TreeWalk& walk) {
  std::string out = "Decision tree " + tree.name + ": ";
  for (const auto& [question, holds] : walk.answers)
    out += words_of(*question) + ": " + (!holds ? "no data" : *holds ? "yes" : "no") + (walk.leaf ? " -> " : ", ");
  if (walk.leaf == nullptr) return out + "so look there yourself.";
  out += walk.leaf->title.empty() ? walk.leaf->action : walk.leaf->title + " (" + walk.leaf->action + ")";
  if (!walk.leaf->approve.empty()) out += "; needs approval by " + walk.leaf->approve;
  return out + ".";
}

DecisionTree read_decision_tree(const std::string& name, config::Section& section, const TreeChecks& checks) {
  DecisionTree tree{.name = name, .nodes = {}};
  std::map<std::string, config::Position> places;
  for (auto& [node_name, from] : section.named_children(name)) {
    TreeNode node;
    node.name = node_name;
    node.title = from.text("title", "");
    if (from.has("check") == from.has("do"))
      from.problems().add(from.at(), "'" + node_name + "' must either ask ('check') or say what to do ('do')",
                          "Write {check: PROMQL, then: NODE, else: NODE} or {do: RUNBOOK#HEADING}.");
    if (from.has("check")) read_question(node, from, checks);
    if (from.has("do")) read_action(node, from, checks);
    from.close();
    places[node_name] = from.at();
    tree.nodes.push_back(std::move(node));
  }
  if (tree.nodes.empty())
    section.problems().add(section.at(name), "decision tree '" + name + "' has no nodes",
                           "Give it at least one with a 'do'.");
  WayCheck(tree, places, section.problems()).run();
  return tree;
}

}  // namespace ward::collector
