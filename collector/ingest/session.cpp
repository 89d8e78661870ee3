#include "collector/ingest/session.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace ward::collector {

StreamServer::Session::Session(StreamServer& owner, std::unique_ptr<net::Connection> c)
    : server(owner),
      connection(std::move(c)),
      machine(wire::CollectorSession::Options{}, *this, owner.context_.clock.mono()),
      wake(owner.context_.executor, async::asio::steady_timer::time_point::max()) {}

Status StreamServer::Session::hello(const wire::Hello& hello) {
  if (const auto* peer = connection->peer()) {
    identity = *peer;
    if (hello.agent != identity.agent)
      return fail(Errc::denied, "the certificate of '" + identity.agent.get() + "' came with a HELLO of '" + hello.agent.get() + "'",
                  "Give the agent the certificate that was issued for its name, or mend 'agent' in agent.yaml.");
  } else {
    // Plain TCP on loopback: the name is taken on trust, which `insecure: true` states.
    identity.agent = hello.agent;
    for (const auto& stream : hello.streams) identity.tenants.push_back(stream.tenant);
  }
  if (auto named = check_name("agent", identity.agent.get()); !named) return named;
  for (const auto& stream : hello.streams) {
    if (auto named = check_name("tenant", stream.tenant.get()); !named) return named;
    if (!identity.may_speak_for(stream.tenant))
      return fail(Errc::denied, "agent '" + identity.agent.get() + "' may not speak for tenant '" + stream.tenant.get() + "'",
                  "Issue its certificate with this tenant (wardctl pki issue), or mend 'tenant' in agent.yaml.");
  }
  server.open_streams(*this);
  return {};
}

std::uint32_t StreamServer::Session::resolve(wire::StreamIndex stream, const Labels& labels) {
  return server.context_.catalogue.resolve(streams[stream].key.tenant, identity.agent, labels);
}

void StreamServer::Session::record(wire::StreamIndex stream, wire::Record record, std::uint64_t refused) {
  if (ended) return;
  ++records;
  samples += record.samples.size();
  if (planted(Planted::ack_before_commit)) machine.committed(stream, record.seq);
  ReceivedRecord received{streams[stream].row, std::move(record), refused};
  server.commits_.submit(std::move(received));
}

void StreamServer::Session::gap(wire::StreamIndex stream, const Gap& gap) {
  if (ended) return;
  gap_samples += gap.samples;
  ReceivedGap received{streams[stream].row, gap};
  server.commits_.submit(received);
}

void StreamServer::Session::duplicate(wire::StreamIndex stream, Sequence seq, std::uint32_t digest) {
  server.context_.metrics.counter("ward_ingest_duplicate_records_total", "Records received again after a reconnect; not stored.").add();
  const auto row = streams[stream].row;
  auto differs = std::make_shared<bool>(false);
  auto* journal = &server.context_.journal;
  auto* log = &server.context_.log;
  auto* metrics = &server.context_.metrics;
  const auto agent = identity.agent.get();
  server.commits_.exclusive(
      [journal, row, seq, digest, differs] { *differs = journal->contradicts(row, seq, digest).value_or(false); },
      [log, metrics, agent, seq, differs] {
        if (!*differs) return;
        metrics->counter("ward_ingest_contradictions_total", "Records resent with another content under the same number.").add();
        log->error("An agent sent another content under a number that is stored; its spool may have been copied",
                   {{"agent", agent}, {"seq", seq.get()}});
      });
}

void StreamServer::Session::meta(const wire::Meta& meta) {
  server.context_.metrics.gauge("ward_ingest_described_metrics", "Metrics the last agent described.").set(static_cast<double>(meta.entries.size()));
}

void StreamServer::Session::end(const Error& why) {
  if (ended) return;
  ended = why;
  connection->close();
  wake.cancel();
}

}  // namespace ward::collector
