// ward-agent --once: what an SRE reads before trusting a new target.
#include "agent/once.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "agent/app.hpp"
#include "agent/config.hpp"
#include "agent/schedule/harvest.hpp"
#include "agent/schedule/scheduler.hpp"
#include "common/http/client.hpp"
#include "probes/host/real_host.hpp"

namespace ward::agent {
namespace {

std::string number(double v) {
  char text[40];
  std::snprintf(text, sizeof text, "%.15g", v);
  return text;
}

}  // namespace

async::Task<int> print_all(std::vector<Target>& targets, probes::Host& host, async::Timers& timers, std::ostream& out) {
  int failed = 0;
  for (auto& target : targets) {
    auto outcome = co_await measure(target, host, timers);
    const auto took = to_seconds(outcome.took) * 1000.0;
    out << "# " << target.kind->name << " " << target.name << ": " << outcome.output.readings.size() << " samples, "
        << number(std::round(took * 10) / 10) << " ms";
    if (outcome.output.failure) {
      ++failed;
      const auto& failure = *outcome.output.failure;
      out << ", FAILED (" << probes::to_string(failure.reason) << ")\n#   " << ward::describe(failure.error);
    }
    out << '\n';
    Harvest harvest(target, target.probe->caps());
    const auto batch = harvest.gather(std::move(outcome));
    for (const auto& [series, value] : batch.values) out << to_string(series) << ' ' << number(value) << '\n';
    for (const auto& event : batch.events) out << "# event " << event.kind << ' ' << to_string(event.attributes) << '\n';
  }
  co_return failed;
}

Status measure_once(const std::string& config_path, std::ostream& out) {
  auto config = load_agent_config(config_path);
  if (!config) return fail(config.error());
  const auto clock = real_clock();
  const auto random = real_random();
  const auto timers = async::real_timers();
  async::asio::io_context io{1};
  const auto http = http::make_curl_client(io.get_executor());
  const auto targets = config->targets.size();
  int failed = 0;
  std::exception_ptr error;
  {
    async::BlockingPool pool;
    probes::RealHost host(*clock, *random, pool, *http, probes::RealHost::Options{config->host_root});
    const auto done = [&](const std::exception_ptr& e, int count) {
      error = e;
      failed = count;
    };
    async::asio::co_spawn(io, print_all(config->targets, host, *timers, out), done);
    io.run();
    config->targets.clear();  // probes end before the pool and the host they use
  }
  if (error) std::rethrow_exception(error);
  if (failed > 0)
    return fail(Errc::unavailable,
                std::to_string(failed) + " of the " + std::to_string(targets) + " targets could not be measured",
                "Read the lines marked FAILED above.");
  return {};
}

}  // namespace ward::agent
