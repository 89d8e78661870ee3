#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "collector/ingest/journal.hpp"
#include "collector/ingest/recorder.hpp"
#include "common/wire/collector_session.hpp"

namespace ward::collector {

/// One agent's session without its socket: checks who speaks for whom, turns frames into journal entries and commits into
/// acknowledgements. No I/O; stream_server.cpp and the simulator drive it. Thread: its host's.
class IngestSession final : public wire::SessionPort {
 public:
  /// What a session needs of the collector around it.
  class Host {
   public:
    virtual ~Host() = default;
    /// The agent greeted: find its streams and call welcome(). Older sessions of the same agent end.
    virtual void open_streams(IngestSession& session) = 0;
    virtual void submit(JournalEntry entry) = 0;
    virtual SeriesId resolve(const TenantId& tenant, const AgentId& agent, const Labels& labels) = 0;
    virtual void duplicate(StreamRow stream, Sequence seq, std::uint32_t digest, const AgentId& agent) = 0;
    /// Names this process to agents (wire::Welcome::life).
    [[nodiscard]] virtual std::uint64_t life() const { return 0; }
    /// What an agent says of a metric that it may send for this tenant.
    virtual void describe(const TenantId& /*tenant*/, const wire::MetaEntry& /*metric*/) {}
  };
  struct Counts {
    std::uint64_t records = 0, samples = 0, gap_samples = 0;
  };

  /// `peer` is the certificate's identity; null only on a plain loopback connection (`insecure`).
  IngestSession(Host& host, const PeerIdentity* peer, MonoTime now);

  void on_bytes(wire::ByteView bytes, MonoTime now, Time wall);
  void tick(MonoTime now);
  void welcome(std::vector<StreamState> streams, std::uint64_t credit, Time wall);
  void on_committed(std::span<const Committed> committed);
  void set_credit(std::uint64_t limit);
  void end(const Error& why);

  [[nodiscard]] bool has_output() const { return machine_.has_output(); }
  [[nodiscard]] wire::Buffer take_output() { return machine_.take_output(); }
  [[nodiscard]] const std::optional<Error>& ended() const { return ended_; }
  [[nodiscard]] const PeerIdentity& identity() const { return identity_; }
  [[nodiscard]] const wire::Hello& greeting() const { return machine_.hello(); }
  [[nodiscard]] std::span<const StreamState> streams() const { return streams_; }  ///< none before welcome()
  /// Series whose numbers the session uses, one for each resolve() that gave one.
  [[nodiscard]] std::span<const SeriesId> series() const { return series_; }
  /// New series that a cap refused, by tenant. They stay refused as long as the session lives.
  [[nodiscard]] const std::map<TenantId, std::size_t>& refused() const { return refused_; }
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  Status hello(const wire::Hello& hello) override;
  std::uint32_t resolve(wire::StreamIndex stream, const Labels& labels) override;
  void record(wire::StreamIndex stream, wire::Record record, std::uint64_t refused) override;
  void gap(wire::StreamIndex stream, const Gap& gap) override;
  void duplicate(wire::StreamIndex stream, Sequence seq, std::uint32_t digest) override;
  void meta(const wire::Meta& meta) override;

  Host& host_;
  bool verified_;
  PeerIdentity identity_;
  wire::CollectorSession machine_;
  std::vector<StreamState> streams_;  // by index, as HELLO named them
  std::vector<SeriesId> series_;
  std::map<TenantId, std::size_t> refused_;
  std::optional<Error> ended_;
  Counts counts_;
};

}  // namespace ward::collector
