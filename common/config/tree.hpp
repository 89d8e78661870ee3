#pragma once
#include <string>
#include <utility>
#include <vector>

#include "common/config/node.hpp"

namespace ward::config {

/// The parsed form behind a Node; built by yaml.cpp, immutable afterwards. Nothing outside this room includes it.
struct Node::Tree {
  Kind kind = Kind::null;
  Position at;
  std::string scalar;
  bool quoted = false;
  std::vector<Node> items;
  std::vector<std::pair<std::string, Node>> entries;
  std::vector<Position> key_positions;  ///< one for each entry
};

}  // namespace ward::config
