#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>

#include "collector/config.hpp"
#include "common/async/blocking.hpp"
#include "common/base/world.hpp"
#include "common/http/client.hpp"
#include "common/telemetry/log.hpp"
#include "common/telemetry/metrics.hpp"

namespace ward::collector {

/// What the parts share, in the order they may be destroyed in reverse. The real one is made in app.cpp.
struct World {
  explicit World(const CollectorConfig& config);
  std::unique_ptr<Clock> clock;
  std::unique_ptr<Random> random;
  std::unique_ptr<telemetry::LogSink> sink;
  telemetry::Logger log;
  telemetry::Registry metrics;
  async::asio::io_context io{1};
  std::unique_ptr<http::Client> http;
  std::unique_ptr<async::BlockingPool> pool = std::make_unique<async::BlockingPool>();
  std::unique_ptr<async::BlockingPool> queries;
};

}  // namespace ward::collector
