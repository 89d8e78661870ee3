#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ward::config {

/// The candidate a user most likely meant by `word`: the fewest inserted, deleted, replaced or swapped letters, and at
/// most a third of the word (one letter of a short word). nullopt when nothing is near.
std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);

}  // namespace ward::config
