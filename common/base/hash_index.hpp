#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ward {

/// Numbers by the hash of what they stand for: eight bytes a place, since a store has a place for every series. Half of the
/// hash is kept, so what it finds must be compared. A `Ref{}` is no number. Thread: not safe, its owner guards it.
template <class Ref>
class HashIndex {
 public:
  void add(std::uint64_t hash, Ref ref) {
    if ((used_ + 1) * 4 > places_.size() * 3) grow();
    put(mix(hash), ref);
    ++used_;
  }
  /// The first ref of that hash for which `is_it(ref)` holds; Ref{} when there is none.
  template <class IsIt>
  [[nodiscard]] Ref find(std::uint64_t hash, IsIt is_it) const {
    const auto at = place_of(mix(hash), is_it);
    return at == kNowhere ? Ref{} : places_[at].ref;
  }
  void remove(std::uint64_t hash, Ref ref) {
    auto gap = place_of(mix(hash), [ref](Ref other) { return other == ref; });
    if (gap == kNowhere) return;
    // What stands behind moves up when the gap lies between it and its home, so that no search ends early.
    const auto mask = places_.size() - 1;
    for (auto at = (gap + 1) & mask; places_[at].ref != Ref{}; at = (at + 1) & mask) {
      const auto home = places_[at].hash & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      places_[gap] = places_[at];
      gap = at;
    }
    places_[gap] = {};
    --used_;
  }
  /// Asks the processor for a hash's place before it is needed: waiting for memory is most of what many look-ups cost.
  void prefetch(std::uint64_t hash) const {
    if (!places_.empty()) __builtin_prefetch(&places_[mix(hash) & (places_.size() - 1)]);
  }
  /// What find() compares first.
  [[nodiscard]] Ref guess(std::uint64_t hash) const {
    return find(hash, [](Ref) { return true; });
  }

 private:
  struct Place {
    std::uint32_t hash = 0;
    Ref ref{};  ///< Ref{}: free
  };
  static constexpr std::size_t kNowhere = ~std::size_t{0};
  static std::uint32_t mix(std::uint64_t hash) { return static_cast<std::uint32_t>(hash ^ (hash >> 32)); }
  template <class IsIt>
  [[nodiscard]] std::size_t place_of(std::uint32_t hash, IsIt is_it) const {
    if (places_.empty()) return kNowhere;
    const auto mask = places_.size() - 1;
    for (auto at = hash & mask; places_[at].ref != Ref{}; at = (at + 1) & mask)
      if (places_[at].hash == hash && is_it(places_[at].ref)) return at;
    return kNowhere;
  }
  void put(std::uint32_t hash, Ref ref) {
    const auto mask = places_.size() - 1;
    auto at = hash & mask;
    while (places_[at].ref != Ref{}) at = (at + 1) & mask;
    places_[at] = {hash, ref};
  }
  void grow() {
    const auto old = std::exchange(places_, std::vector<Place>(places_.empty() ? 64 : places_.size() * 2));
    for (const auto& place : old)
      if (place.ref != Ref{}) put(place.hash, place.ref);
  }
  std::vector<Place> places_;  ///< a power of two, at most three quarters full
  std::size_t used_ = 0;
};

}  // namespace ward
