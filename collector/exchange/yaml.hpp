#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/config/node.hpp"

namespace ward::collector::exchange {

/// A YAML value to be written. Everything this room puts out is built of these, never glued from text, so that no value of a
/// foreign file can become structure.
class Yaml {
 public:
  Yaml() = default;  ///< null
  /// Text; quoted wherever it could be read as anything else.
  static Yaml text(std::string_view value);
  /// A number, `true`, a duration: written bare when that is safe, else as text.
  static Yaml bare(std::string_view value);
  static Yaml map();
  static Yaml list();
  /// The same content: what was quoted stays quoted.
  static Yaml copy(const config::Node& node);

  Yaml& set(std::string key, Yaml value);  ///< of a map; the key comes last
  Yaml& set(std::string key, std::string_view value) { return set(std::move(key), text(value)); }
  Yaml& add(Yaml value);  ///< of a list
  /// The value of a key of a map; null when it has none.
  [[nodiscard]] const Yaml* find(std::string_view key) const;
  [[nodiscard]] const std::vector<Yaml>& items() const { return items_; }
  [[nodiscard]] const std::vector<std::pair<std::string, Yaml>>& entries() const { return entries_; }
  [[nodiscard]] const std::string& scalar() const { return scalar_; }
  /// Without entries, items or text.
  [[nodiscard]] bool empty() const { return entries_.empty() && items_.empty() && scalar_.empty(); }
  friend bool operator==(const Yaml&, const Yaml&) = default;

 private:
  friend class YamlWriter;
  enum class Kind : std::uint8_t { null, bare, text, list, map };
  Kind kind_ = Kind::null;
  std::string scalar_;
  std::vector<Yaml> items_;
  std::vector<std::pair<std::string, Yaml>> entries_;
};

/// One document; ends with a newline. Small maps and lists stand on one line.
std::string write(const Yaml& document);
/// Several, with `---` between them.
std::string write(const std::vector<Yaml>& documents);

}  // namespace ward::collector::exchange
