#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/exchange/note.hpp"
#include "common/config/node.hpp"

namespace ward::collector::exchange {

/// Reads one mapping of a foreign file. Unlike config::Section it refuses nothing: what cannot be taken becomes a note, and
/// close() names every key that nobody asked for. No note repeats a value, for any value may be a secret.
class Source {
 public:
  /// `whose`: for notes, "route", "receiver 'pager'".
  Source(config::Node node, std::string whose, Notes& notes);

  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] config::Position at() const { return node_.at(); }
  [[nodiscard]] config::Position at(std::string_view key) const;
  [[nodiscard]] Notes& notes() const { return *notes_; }
  [[nodiscard]] const std::string& whose() const { return whose_; }

  std::string text(std::string_view key);                 ///< "" when absent
  std::optional<bool> flag(std::string_view key);         ///< true or false as YAML 1.2 writes them
  Source child(std::string_view key, std::string whose);  ///< an empty one when absent
  std::vector<config::Node> items(std::string_view key);  ///< a lone scalar counts as a list of one
  std::vector<std::string> texts(std::string_view key);
  std::vector<std::pair<std::string, std::string>> text_map(std::string_view key);
  std::optional<config::Node> raw(std::string_view key);
  /// Takes keys that have no place in Ward; each that is there is told.
  void drop(std::initializer_list<std::string_view> keys, std::string_view because, std::string_view todo);
  /// Tells of every key that nobody asked for.
  void close();

 private:
  const config::Node* take(std::string_view key);
  void odd(std::string_view key, std::string_view wanted);
  config::Node node_;
  std::string whose_;
  Notes* notes_;
  std::vector<std::string> asked_;
};

}  // namespace ward::collector::exchange
