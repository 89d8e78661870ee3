#include "common/base/failpoint.hpp"

#if defined(WARD_PLANTED_BUGS)

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>

#include "common/base/parse.hpp"

namespace ward {
namespace {

struct Wanted {
  std::string_view name;
  std::uint64_t times = 1;
};

// Read once, before there are threads that could change the environment.
Wanted read_wanted() {
  const char* text = std::getenv("WARD_FAILPOINT");
  if (text == nullptr) return {};
  Wanted out{.name = text};
  if (const auto colon = out.name.find(':'); colon != std::string_view::npos) {
    out.times = to_u64(out.name.substr(colon + 1)).value_or(1);
    out.name = out.name.substr(0, colon);
  }
  return out;
}

}  // namespace

void failpoint(std::string_view name) {
  static const Wanted wanted = read_wanted();
  if (wanted.name.empty() || wanted.name != name) return;
  static std::atomic<std::uint64_t> reached{0};
  if (++reached == wanted.times) std::raise(SIGKILL);
}

}  // namespace ward

#endif
