#include "common/async/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "common/base/assert.hpp"

namespace ward::async {

struct TaskGroup::State {
  explicit State(asio::any_io_executor ex, OnFailure failure)
      : executor(std::move(ex)), on_failure(std::move(failure)), changed(executor, asio::steady_timer::time_point::max()) {}
  asio::any_io_executor executor;
  OnFailure on_failure;
  asio::steady_timer changed;  // cancelled whenever a task ends
  std::list<asio::cancellation_signal> signals;
};

namespace {

bool is_cancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor, OnFailure on_failure)
    : state_(std::make_shared<State>(std::move(executor), std::move(on_failure))) {}

TaskGroup::~TaskGroup() { WARD_ASSERT(state_->signals.empty()); }

void TaskGroup::spawn(std::string name, Task<void> task) {
  auto& signal = state_->signals.emplace_back();
  const auto at = std::prev(state_->signals.end());
  auto ended = [state = state_, at, name = std::move(name)](std::exception_ptr error) {
    state->signals.erase(at);
    state->changed.cancel();
    if (error && state->on_failure && !is_cancellation(error)) state->on_failure(name, error);
  };
  asio::co_spawn(state_->executor, std::move(task), asio::bind_cancellation_slot(signal.slot(), std::move(ended)));
}

void TaskGroup::cancel() {
  // emit() may end a task at once and erase its node: step before emitting.
  for (auto it = state_->signals.begin(); it != state_->signals.end();) (it++)->emit(asio::cancellation_type::all);
}

Task<void> TaskGroup::join() {
  const auto state = state_;
  while (!state->signals.empty()) {
    boost::system::error_code woken;
    co_await state->changed.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

std::size_t TaskGroup::running() const { return state_->signals.size(); }

}  // namespace ward::async
