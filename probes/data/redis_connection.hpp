#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/async/blocking.hpp"
#include "common/async/task.hpp"
#include "probes/data/redis_failure.hpp"
#include "probes/data/redis_reply.hpp"

namespace ward::probes::data {

/// One connection to one Redis, plain or TLS, and never a second one. Thread: its executor's single thread; all runs of a
/// probe are on the same executor.
class RedisConnection {
 public:
  explicit RedisConnection(RedisOptions options);
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;
  ~RedisConnection();

  /// False also when a cancelled run left a half-read answer: the next one starts afresh.
  [[nodiscard]] bool open() const;
  /// Resolves, connects, shakes hands and authenticates.
  async::Task<RedisResult<void>> connect(async::BlockingPool* pool);
  /// Sends the commands at once and reads as many replies; error replies are replies. Any failure closes the connection.
  async::Task<RedisResult<std::vector<RedisReply>>> exchange(std::vector<std::vector<std::string>> commands);
  void close();

 private:
  struct Impl;
  async::Task<RedisResult<void>> establish(async::BlockingPool* pool);
  async::Task<RedisResult<void>> handshake();
  async::Task<RedisResult<std::vector<RedisReply>>> transfer(std::string request, std::size_t replies);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ward::probes::data
