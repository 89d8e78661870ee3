// Rule files: YAML, PromQL and templates as one load. Nothing that an editor writes may stop the program.
#include "collector/alerting/rule_file.hpp"
#include "collector/promql/parser.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace ward;
using namespace ward::collector;

class Nothing final : public Expression {
 public:
  [[nodiscard]] Result<Vector> evaluate(Time) const override { return Vector{}; }
  [[nodiscard]] const std::vector<std::string>& metrics() const override { return metrics_; }

 private:
  std::vector<std::string> metrics_;
};

class ParsingCompiler final : public ExpressionCompiler {
 public:
  [[nodiscard]] Result<std::shared_ptr<const Expression>> compile(std::string_view text) const override {
    if (auto parsed = promql::parse(text); !parsed) return fail(parsed.error());
    return std::make_shared<const Nothing>();
  }
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<RuleText> files{{"fuzz.yaml", std::string(ward::fuzz::text({data, size}))}};
  const ReadFile read = [](const std::string& path) -> Result<std::string> {
    if (path.ends_with("pg.md")) return std::string("# PostgreSQL\n\n## Failover\n");
    return fail(Errc::not_found, "no such file", "Write it.");
  };
  const auto load = parse_rules(files, ParsingCompiler{}, {}, read);
  WARD_ASSERT((load.rules == nullptr) == !load.errors.empty());
  for (const auto& problem : load.errors) WARD_ASSERT(problem.text.starts_with("fuzz.yaml"));
  if (!load.errors.empty()) WARD_ASSERT(!load.to_error().what.empty());
  return 0;
}
