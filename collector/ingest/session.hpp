#pragma once
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collector/ingest/stream_server.hpp"
#include "common/net/connection.hpp"
#include "common/wire/collector_session.hpp"

namespace ward::collector {

/// One agent's connection: the session's port into the collector. Thread: io thread.
class StreamServer::Session final : public wire::SessionPort {
 public:
  Session(StreamServer& server, std::unique_ptr<net::Connection> connection);

  Status hello(const wire::Hello& hello) override;
  std::uint32_t resolve(wire::StreamIndex stream, const Labels& labels) override;
  void record(wire::StreamIndex stream, wire::Record record, std::uint64_t refused) override;
  void gap(wire::StreamIndex stream, const Gap& gap) override;
  void duplicate(wire::StreamIndex stream, Sequence seq, std::uint32_t digest) override;
  void meta(const wire::Meta& meta) override;

  /// Ends the session; `why` is logged once.
  void end(const Error& why);
  void flush() {
    if (machine.has_output()) wake.cancel();
  }

  StreamServer& server;
  std::unique_ptr<net::Connection> connection;
  wire::CollectorSession machine;
  async::asio::steady_timer wake;  // cancelled when the writer has something to do
  PeerIdentity identity;
  std::vector<StreamState> streams;  // by index, as HELLO named them
  std::optional<Error> ended;
  std::uint64_t records = 0, samples = 0, gap_samples = 0;
};

}  // namespace ward::collector
