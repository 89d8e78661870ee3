#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/async/task.hpp"
#include "probes/data/postgres_session.hpp"

namespace ward::probes::data {

/// A session as a coroutine sees it: each call runs on the host's blocking pool. When the caller is cancelled, the call's
/// socket is shut down, and until the call has ended busy() keeps the next run from opening a second connection.
/// Thread: the io thread.
class PostgresLink {
 public:
  explicit PostgresLink(PostgresTarget target);

  [[nodiscard]] bool busy() const { return state_->busy; }
  [[nodiscard]] bool connected() const { return state_->session.connected(); }
  [[nodiscard]] const PostgresTarget& target() const { return state_->session.target(); }
  void abort() { state_->session.abort(); }

  async::Task<PostgresResult<void>> connect(async::BlockingPool* pool);
  async::Task<PostgresResult<std::string>> ask(async::BlockingPool* pool, std::string select, std::string part);
  async::Task<PostgresResult<void>> write(async::BlockingPool* pool, std::string statement, std::string part);
  async::Task<void> disconnect(async::BlockingPool* pool);

 private:
  struct State {
    explicit State(PostgresTarget target) : session(std::move(target)) {}
    PostgresSession session;
    std::atomic<bool> busy = false;
  };
  template <class T>
  async::Task<T> run(async::BlockingPool* pool, std::function<T(PostgresSession&)> call);
  std::shared_ptr<State> state_;
};

}  // namespace ward::probes::data
