#include "common/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace ward {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "ward: bug: '%s' does not hold at %s:%d. Please report it with this line.\n", expression, file, line);
  std::abort();
}

}  // namespace ward
