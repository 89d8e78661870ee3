#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/config/node.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// A question with a way on for each answer, or, without a question, what to do.
struct TreeNode {
  std::string name;
  std::string check{};    ///< PromQL; "" at a leaf
  std::string title{};    ///< the check or action in a person's words; "" = as written
  std::string yes{};      ///< `then`: the node to go to when the check holds
  std::string no{};       ///< `else`
  std::string unknown{};  ///< where it has no data; "" = a person must look
  std::string action{};   ///< `do`: a runbook with its anchor
  std::string approve{};  ///< who must agree first; "" = nobody
  std::string verify{};   ///< PromQL that holds when the action has worked
  friend bool operator==(const TreeNode&, const TreeNode&) = default;
};

/// What to do about an alert, decided by what is measured. The first node is where it begins; every node can be reached and
/// none leads back.
struct DecisionTree {
  std::string name;
  std::vector<TreeNode> nodes;
  [[nodiscard]] const TreeNode* find(std::string_view node) const;
};

/// Whether a check holds; nullopt: there is no data to tell.
using Ask = std::function<std::optional<bool>(const std::string& check)>;

struct TreeAnswer {
  const TreeNode* question = nullptr;
  std::optional<bool> holds;
};
struct TreeWalk {
  std::vector<TreeAnswer> answers;  ///< in the order asked
  const TreeNode* leaf = nullptr;   ///< null: an answer is not known and the tree does not say what then
};
/// Answers as many questions as can be answered. The tree must outlive the result.
TreeWalk walk(const DecisionTree& tree, const Ask& ask);
/// For a page: one line, `Decision tree pg-down: standby lag < 30 s: yes -> runbooks/pg.md#failover; needs approval by
/// database.`
std::string in_words(const DecisionTree& tree, const TreeWalk& walk);

/// What reading a tree needs to know of the world.
struct TreeChecks {
  std::function<std::optional<std::string>(const std::string& promql)> flaw_of_query;  ///< nullopt: it parses
  std::function<std::optional<std::string>(const std::string& url)> flaw_of_runbook;   ///< nullopt: file and anchor exist
};
/// Reads `NODE: {check, then, else, unknown, title} | {do, approve, verify, title}`. Problems: a node of both kinds or none,
/// a way to a node that is not there, a node nothing leads to, a way back, a check that does not parse, a `do` whose runbook
/// has no such anchor.
DecisionTree read_decision_tree(const std::string& name, config::Section& section, const TreeChecks& checks);

}  // namespace ward::collector
