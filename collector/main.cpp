#include <CLI/CLI.hpp>
#include <cstdio>

#include "collector/app.hpp"

namespace {

int report(const ward::Status& status) {
  if (status) return 0;
  std::fprintf(stderr, "ward-collector: %s\n", ward::describe(status.error()).c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli{"Ward's collector: stores what agents send, evaluates rules and pages the owner of the cause."};
  std::string config;
  bool check = false;
  cli.add_option("--config", config, "The collector's configuration (config/collector.yaml shows every key)")->required();
  cli.add_flag("--check", check, "Read configuration, certificates and rules, say what is wrong, and leave");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return cli.exit(e);
    std::fprintf(stderr, "ward-collector: %s. Run 'ward-collector --help'.\n", e.what());
    return 2;
  }
  if (check) {
    const auto checked = ward::collector::check(config);
    if (!checked) return report(ward::fail(checked.error()));
    for (const auto& warning : *checked) std::fprintf(stderr, "ward-collector: warning: %s\n", warning.c_str());
    std::printf("%s: fine\n", config.c_str());
    return 0;
  }
  return report(ward::collector::run(config));
}
