#pragma once
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/base/time.hpp"

namespace ward::config {

/// Where something stands in a file; lines and columns from 1, as editors count.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
  friend bool operator==(const Position&, const Position&) = default;
};
std::string to_string(const Position& p);  ///< "agent.yaml:12:5"

struct Problem {
  Position at;
  std::string what;
  std::string fix;
  friend bool operator==(const Problem&, const Problem&) = default;
};

/// Collects every problem of a load, so that the user mends a file in one round.
class Problems {
 public:
  void add(Position at, std::string what, std::string fix);
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] const std::vector<Problem>& list() const { return list_; }
  /// One line per problem: "agent.yaml:12:5: what. fix".
  [[nodiscard]] std::string to_text() const;
  /// Errc::invalid with to_text().
  [[nodiscard]] Error to_error() const;

 private:
  std::vector<Problem> list_;
};

/// An immutable YAML value with its position. Cheap to copy.
class Node {
 public:
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };
  struct Tree;  // the parsed form, private to the adapter

  Node();
  explicit Node(std::shared_ptr<const Tree> tree);
  [[nodiscard]] Kind kind() const;
  [[nodiscard]] const Position& at() const;
  /// The scalar as written (unquoted); "" unless scalar.
  [[nodiscard]] const std::string& scalar() const;
  /// True when the scalar was quoted, so that it is text whatever it looks like.
  [[nodiscard]] bool quoted() const;
  [[nodiscard]] const std::vector<Node>& items() const;                            ///< of a sequence
  [[nodiscard]] const std::vector<std::pair<std::string, Node>>& entries() const;  ///< of a mapping, in file order
  [[nodiscard]] Position key_at(std::string_view key) const;                       ///< of a mapping's key

 private:
  std::shared_ptr<const Tree> tree_;
};

/// Parses all documents of a file strictly: duplicate keys, aliases, anchors, tags, more than `max_depth` levels or
/// 1 MiB are refused with their place. Nothing is interpreted yet ("010" stays text until a Section asks for a number).
/// There is always at least one document: an empty file is one null node.
Result<std::vector<Node>> parse_yaml(std::string_view text, std::string file_name);
Result<std::vector<Node>> load_yaml(const std::string& path);

/// Reads one mapping strictly. Ask for every key that may be there, then close(): keys nobody asked for become problems
/// ("unknown key 'intervall'; did you mean 'interval'?"). A wrong value adds a problem and yields the fallback.
class Section {
 public:
  /// A null node counts as an empty mapping; another kind is a problem.
  Section(Node node, std::string path, Problems& problems);

  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] Position at() const;
  [[nodiscard]] Position at(std::string_view key) const;
  [[nodiscard]] Problems& problems() const { return *problems_; }
  /// The dotted path of this mapping, for messages: "probes[2].postgres".
  [[nodiscard]] const std::string& path() const { return path_; }

  std::string text(std::string_view key);  ///< required
  std::string text(std::string_view key, std::string fallback);
  bool flag(std::string_view key, bool fallback);  ///< true or false only; yes/no/on/off are refused
  std::uint64_t whole(std::string_view key, std::uint64_t fallback, std::uint64_t min = 0,
                      std::uint64_t max = std::numeric_limits<std::uint32_t>::max());
  double real(std::string_view key, double fallback);
  milliseconds duration(std::string_view key, milliseconds fallback, milliseconds min = milliseconds{0});
  std::uint64_t size(std::string_view key, std::uint64_t fallback);
  /// `{file: PATH}` or `{env: NAME}`; a literal value is refused ("put it into a file"). Empty when absent. A relative
  /// PATH counts from the folder of the YAML file; a file open to every user is refused.
  Secret secret(std::string_view key);
  std::vector<std::string> texts(std::string_view key);                             ///< a list of strings; empty when absent
  std::vector<std::pair<std::string, std::string>> text_map(std::string_view key);  ///< a mapping of strings
  Section child(std::string_view key);                  ///< when absent an empty section, at the place of this one
  std::vector<Section> children(std::string_view key);  ///< a list of mappings
  std::vector<std::pair<std::string, Section>> named_children(std::string_view key);  ///< a mapping of mappings
  std::optional<Node> raw(std::string_view key);
  /// One of `names`; the index of the match, or `fallback`. The problem lists the choices.
  std::size_t choice(std::string_view key, std::initializer_list<std::string_view> names, std::size_t fallback);

  void close();
  /// Alike in one process for mappings that say the same: their texts, the secrets they name and the age of the files
  /// they name by absolute path. To see what a reload changed; it tells nothing of a secret.
  [[nodiscard]] std::uint64_t fingerprint() const;

 private:
  [[nodiscard]] const Node* find(std::string_view key) const;
  const Node* take(std::string_view key);
  Node node_;
  Position at_;
  std::string path_;
  Problems* problems_;
  std::vector<std::string> known_;
};

}  // namespace ward::config
