#pragma once
#include <compare>
#include <cstddef>
#include <functional>
#include <utility>

namespace ward {

/// A value with a meaning of its own: explicit into and out of T, so that swapped arguments do not compile.
template <class Tag, class T>
class Strong {
 public:
  using value_type = T;
  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(std::move(value)) {}
  [[nodiscard]] constexpr const T& get() const { return value_; }
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
  friend constexpr bool operator==(const Strong&, const Strong&) = default;

 private:
  T value_{};
};

}  // namespace ward

template <class Tag, class T>
struct std::hash<ward::Strong<Tag, T>> {
  std::size_t operator()(const ward::Strong<Tag, T>& s) const noexcept { return std::hash<T>{}(s.get()); }
};
