#pragma once
#include <string_view>

namespace ward {

/// A place where a test ends the process by SIGKILL, to show that nothing is lost there: WARD_FAILPOINT=NAME or NAME:N in
/// the environment kills it when it comes to NAME for the first or N-th time. Without the variable it does nothing; builds
/// without WARD_PLANTED_BUGS (release) hold no trace of it. Thread: any.
#if defined(WARD_PLANTED_BUGS)
void failpoint(std::string_view name);
#else
constexpr void failpoint(std::string_view) {}
#endif

}  // namespace ward
