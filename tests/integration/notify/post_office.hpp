#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collector/notify/sender.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/collector/notify/channel_bench.hpp"

namespace ward::collector::test {

/// Outbox, sender, the real HTTP client and the real store, as the collector wires them, in one thread with the servers of
/// the test. Real time: what is waited for has two minutes.
class PostOffice {
 public:
  explicit PostOffice(async::asio::io_context& io) : io_(io) {}
  ~PostOffice();
  PostOffice(const PostOffice&) = delete;
  PostOffice& operator=(const PostOffice&) = delete;

  /// Begins with these receivers; each line of YAML is one. The first falls back to the second, if there are two.
  void open(std::vector<std::string> receivers);
  /// Stops and begins again from what is stored.
  void restart();
  /// A notice for the first receiver.
  void post(const Notice& notice);
  /// Turns the loops until `done`; false after two minutes.
  bool until(const std::function<bool()>& done);
  /// Until every row is delivered or given up.
  bool until_idle();

  std::function<void(Outbox::Options&)> adjust;  ///< of the options of the next open() or restart()
  std::vector<std::string> refusals;
  std::vector<std::string> partly;
  [[nodiscard]] Outbox& outbox() { return *outbox_; }
  /// Rows as they are stored.
  [[nodiscard]] std::vector<DeliveryRow> stored();

 private:
  void begin();
  void end();
  async::Task<Status> commit(StateChange change);

  async::asio::io_context& io_;
  ward::test::TempDir dir_{"notify"};
  std::vector<std::string> receivers_;
  std::unique_ptr<Clock> clock_ = real_clock();
  ward::test::SeededRandom random_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<SqliteStateStore> store_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<Sender> sender_;
  int posted_ = 0;
};

}  // namespace ward::collector::test
