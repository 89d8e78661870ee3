#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <malloc.h>

#include "agent/app.hpp"

namespace {

int report(const ward::Status& status) {
  if (status) return 0;
  std::fprintf(stderr, "ward-agent: %s\n", ward::describe(status.error()).c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  // A light agent: threads share one arena instead of keeping 64 MiB of address space each, and freed memory goes back.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 128 << 10);
  CLI::App cli{"Ward's agent: probes this node and what its configuration names, and streams samples to the collectors."};
  std::string config;
  bool check = false;
  bool once = false;
  cli.add_option("--config", config, "The agent's configuration (config/agent.yaml shows every key)")->required();
  auto* check_flag = cli.add_flag("--check", check, "Read the configuration, say what is wrong, and leave");
  cli.add_flag("--once", once, "Measure every target once, print every sample, and leave")->excludes(check_flag);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return cli.exit(e);
    std::fprintf(stderr, "ward-agent: %s. Run 'ward-agent --help'.\n", e.what());
    return 2;
  }
  if (check) {
    const auto status = ward::agent::check(config);
    if (status) std::printf("%s: fine\n", config.c_str());
    return report(status);
  }
  if (once) return report(ward::agent::measure_once(config, std::cout));
  return report(ward::agent::run(config));
}
