#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ward {

inline constexpr std::string_view kNameLabel = "__name__";

using Label = std::pair<std::string, std::string>;

/// A label that stands somewhere else.
struct LabelView {
  std::string_view name, value;
  friend bool operator==(const LabelView&, const LabelView&) = default;
};

/// A label set: sorted by name, names unique, no empty values (an empty value means "absent", as in Prometheus).
class Labels {
 public:
  Labels() = default;
  /// Sorts; a name given twice keeps the last value.
  Labels(std::initializer_list<Label> labels);
  explicit Labels(std::vector<Label> labels);

  /// Empty when absent.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return !get(name).empty(); }
  [[nodiscard]] std::string_view name() const { return get(kNameLabel); }
  /// An empty value removes the label.
  void set(std::string_view name, std::string_view value);
  void erase(std::string_view name);
  [[nodiscard]] Labels with(std::string_view name, std::string_view value) const;
  [[nodiscard]] Labels without(std::string_view name) const;

  [[nodiscard]] bool empty() const { return labels_.empty(); }
  [[nodiscard]] std::size_t size() const { return labels_.size(); }
  [[nodiscard]] auto begin() const { return labels_.begin(); }
  [[nodiscard]] auto end() const { return labels_.end(); }

  /// Stable across processes and releases (FNV-1a over names and values): fingerprints are persisted.
  [[nodiscard]] std::uint64_t hash() const;

  friend auto operator<=>(const Labels&, const Labels&) = default;
  friend bool operator==(const Labels&, const Labels&) = default;

 private:
  std::vector<Label> labels_;
};

/// As PromQL writes it: `up{job="node"}`; label values are escaped (\\, \", \n).
std::string to_string(const Labels& labels);
/// 16 lower-case hex digits of hash(), Alertmanager's fingerprint shape.
std::string fingerprint(const Labels& labels);

}  // namespace ward

template <>
struct std::hash<ward::Labels> {
  std::size_t operator()(const ward::Labels& l) const noexcept { return static_cast<std::size_t>(l.hash()); }
};
