#pragma once
#include <span>
#include <string>
#include <string_view>

#include "collector/rehearsal/test_file.hpp"

namespace ward::collector {

/// Expectations and what came instead, in promtool's words, so that both tools' output reads alike.
std::string text_of(std::span<const ExpectedAlert> alerts);
std::string text_of(std::span<const ExpectedSample> samples);

/// Every line but the first moved to the right.
std::string indented(std::string_view lines, std::string_view indent);

}  // namespace ward::collector
