#pragma once

namespace ward {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}

/// Stays on in release. For invariants only, never for input.
#define WARD_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::ward::assertion_failed(#expression, __FILE__, __LINE__))
