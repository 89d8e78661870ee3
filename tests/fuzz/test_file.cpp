// Test files of rules, promtool's and Ward's own.
#include "collector/rehearsal/test_file.hpp"

#include "tests/fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = ward::collector::parse_test_file(ward::fuzz::text({data, size}), "fuzz.yaml");
  if (!file) {
    WARD_ASSERT(file.error().what.starts_with("fuzz.yaml:"));
    return 0;
  }
  WARD_ASSERT(!file->plans.empty());
  for (const auto& plan : file->plans) {
    WARD_ASSERT(plan.evaluation_interval > ward::milliseconds{0});
    for (const auto& group : plan.groups) {
      WARD_ASSERT(group.interval > ward::milliseconds{0});
      for (const auto& alert : group.alerts)
        for (std::size_t i = 1; i < alert.changes.size(); ++i)
          WARD_ASSERT(alert.changes[i - 1].after <= alert.changes[i].after);
    }
  }
  return 0;
}
