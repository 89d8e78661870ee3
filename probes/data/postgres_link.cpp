#include "probes/data/postgres_link.hpp"

#include <utility>

#include "common/async/blocking.hpp"

namespace ward::probes::data {

PostgresLink::PostgresLink(PostgresTarget target) : state_(std::make_shared<State>(std::move(target))) {}

template <class T>
async::Task<T> PostgresLink::run(async::BlockingPool* pool, std::function<T(PostgresSession&)> call) {
  struct AbortOnLeave {
    std::shared_ptr<State> state;
    ~AbortOnLeave() {
      if (state && state->busy) state->session.abort();
    }
  };
  const auto state = state_;
  state->busy = true;
  auto job = [state, call = std::move(call)]() -> T {
    struct Done {
      State& of;
      ~Done() { of.busy = false; }
    } done{*state};
    return call(state->session);
  };
  AbortOnLeave guard{state};
  auto result = co_await async::run_blocking(*pool, std::move(job));
  co_return result;
}

async::Task<PostgresResult<void>> PostgresLink::connect(async::BlockingPool* pool) {
  std::function<PostgresResult<void>(PostgresSession&)> call = [](PostgresSession& s) { return s.connect(); };
  return run(pool, std::move(call));
}

async::Task<PostgresResult<std::string>> PostgresLink::ask(async::BlockingPool* pool, std::string select, std::string part) {
  std::function<PostgresResult<std::string>(PostgresSession&)> call =
      [select = std::move(select), part = std::move(part)](PostgresSession& s) { return s.ask(select, part); };
  return run(pool, std::move(call));
}

async::Task<PostgresResult<void>> PostgresLink::write(async::BlockingPool* pool, std::string statement, std::string part) {
  std::function<PostgresResult<void>(PostgresSession&)> call =
      [statement = std::move(statement), part = std::move(part)](PostgresSession& s) { return s.write(statement, part); };
  return run(pool, std::move(call));
}

async::Task<void> PostgresLink::disconnect(async::BlockingPool* pool) {
  std::function<bool(PostgresSession&)> call = [](PostgresSession& s) {
    s.disconnect();
    return true;
  };
  co_await run(pool, std::move(call));
}

}  // namespace ward::probes::data
