// Durations, sizes and times as users and APIs write them: what is read prints to something that reads the same.
#include <cstring>

#include "common/base/duration.hpp"
#include "common/base/parse.hpp"
#include "tests/fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ward;
  const auto text = fuzz::text({data, size});
  if (const auto length = parse_duration(text)) WARD_ASSERT(parse_duration(format_duration(*length)) == length);
  if (const auto time = parse_time(text)) WARD_ASSERT(parse_time(format_time(*time)) == time);
  (void)parse_size(text);
  if (size == sizeof(std::int64_t)) {
    std::int64_t ms = 0;
    std::memcpy(&ms, data, sizeof ms);
    (void)format_duration(milliseconds{ms});
  }
  return 0;
}
