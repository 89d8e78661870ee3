#pragma once
#include <cstdint>
#include <span>

namespace ward {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4). Chain by passing the previous result as `seed`.
std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t seed = 0);

}  // namespace ward
