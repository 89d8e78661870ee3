#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/assert.hpp"

/// What each file of this folder defines: takes one input and returns 0. A broken promise of the code under test is a
/// failed WARD_ASSERT; memory errors and undefined behaviour are the sanitizers'.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace ward::fuzz {

inline std::string_view text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace ward::fuzz
