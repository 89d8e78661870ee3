#include "collector/state_writer.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "common/async/blocking_to_end.hpp"
#include "common/base/failpoint.hpp"

namespace ward::collector {
namespace {

/// Failpoints of what is to be sent (K1, K2), and of a step of an escalation (K6).
void reach(const StateChange& change, std::string_view pages, std::string_view step) {
  if (change.deliveries.empty()) return;
  failpoint(pages);
  const auto is_step = [](const DeliveryRow& row) { return row.delivery.kind == NoticeKind::escalate; };
  if (std::any_of(change.deliveries.begin(), change.deliveries.end(), is_step)) failpoint(step);
}

}  // namespace

struct StateWriter::Row {
  explicit Row(const async::asio::any_io_executor& executor)
      : freed(executor, async::asio::steady_timer::time_point::max()) {}
  std::uint64_t next = 0, serving = 0;
  std::set<std::uint64_t> gone;  ///< left, some before their turn
  async::asio::steady_timer freed;
};

/// A place in the row; whoever leaves it, also without having had his turn, lets the next one in.
class StateWriter::Turn {
 public:
  explicit Turn(std::shared_ptr<Row> row) : row_(std::move(row)), number_(row_->next++) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    row_->gone.insert(number_);
    while (row_->gone.erase(row_->serving) > 0) ++row_->serving;
    row_->freed.cancel();
  }
  [[nodiscard]] bool has_come() const { return number_ == row_->serving; }
  [[nodiscard]] async::asio::steady_timer& freed() const { return row_->freed; }

 private:
  std::shared_ptr<Row> row_;
  std::uint64_t number_;
};

StateWriter::StateWriter(const async::asio::any_io_executor& executor, async::BlockingPool& pool, StateStore& store)
    : pool_(pool), store_(store), row_(std::make_shared<Row>(executor)) {}

async::Task<Status> StateWriter::commit(StateChange change) {
  auto* store = &store_;
  auto shared = std::make_shared<const StateChange>(std::move(change));
  return alone([store, shared] {
    reach(*shared, "pages_before_commit", "step_before_commit");
    auto done = store->commit(*shared);
    if (done) reach(*shared, "pages_after_commit", "step_after_commit");
    return done;
  });
}

// Whoever asks again at once stands behind those who wait: a long read in many pieces must not keep pages from being stored.
async::Task<Status> StateWriter::alone(std::function<Status()> job) {
  const Turn turn(row_);
  while (!turn.has_come()) {
    boost::system::error_code woken;
    co_await turn.freed().async_wait(async::asio::redirect_error(async::asio::use_awaitable, woken));
  }
  auto running = async::run_blocking_to_end(pool_, std::move(job));
  const auto done = co_await std::move(running);
  co_return done;
}

}  // namespace ward::collector
