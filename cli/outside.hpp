#pragma once
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "common/async/task.hpp"
#include "common/base/world.hpp"
#include "common/http/client.hpp"

namespace ward::cli {

/// What wardctl needs from the outside world; main.cpp gives the real one, tests a fake. All outlive the run.
struct Outside {
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;
  /// A variable of the environment, "" when it is not set.
  std::function<std::string(const std::string& name)> environment;
  std::function<std::unique_ptr<http::Client>(async::asio::any_io_executor)> make_client;
};

}  // namespace ward::cli
