#include "collector/ingest/ingest_session.hpp"

#include <set>
#include <utility>

#include "common/base/planted.hpp"

namespace ward::collector {
namespace {

wire::CollectorSession::Options options_of(const IngestSession::Host& host) {
  wire::CollectorSession::Options out;
  out.life = host.life();
  return out;
}

}  // namespace

IngestSession::IngestSession(Host& host, const PeerIdentity* peer, MonoTime now)
    : host_(host),
      verified_(peer != nullptr),
      identity_(peer != nullptr ? *peer : PeerIdentity{}),
      machine_(options_of(host), *this, now) {}

void IngestSession::on_bytes(wire::ByteView bytes, MonoTime now, Time wall) {
  if (ended_) return;
  if (const auto taken = machine_.on_bytes(bytes, now, wall); !taken) end(taken.error());
}

void IngestSession::tick(MonoTime now) {
  if (const auto fine = machine_.tick(now); !fine) end(fine.error());
}

void IngestSession::end(const Error& why) {
  if (ended_) return;
  ended_ = why;
  // The other end's log is where its operator looks: say what is wrong with it there too.
  if (why.code == Errc::denied || why.code == Errc::invalid || why.code == Errc::full) machine_.goaway(describe(why));
}

Status IngestSession::hello(const wire::Hello& hello) {
  if (verified_) {
    if (hello.agent != identity_.agent)
      return fail(Errc::denied,
                  "the certificate of '" + identity_.agent.get() + "' came with a HELLO of '" + hello.agent.get() + "'",
                  "Give the agent the certificate that was issued for its name, or mend 'agent' in agent.yaml.");
  } else {
    // Plain TCP on loopback: the name is taken on trust, which `insecure: true` states.
    identity_.agent = hello.agent;
    for (const auto& stream : hello.streams) identity_.tenants.push_back(stream.tenant);
  }
  if (auto named = check_name("agent", identity_.agent.get()); !named) return named;
  for (const auto& stream : hello.streams) {
    if (auto named = check_name("tenant", stream.tenant.get()); !named) return named;
    if (!identity_.may_speak_for(stream.tenant))
      return fail(Errc::denied,
                  "agent '" + identity_.agent.get() + "' may not speak for tenant '" + stream.tenant.get() + "'",
                  "Issue its certificate with this tenant (wardctl pki issue), or mend 'tenant' in agent.yaml.");
  }
  host_.open_streams(*this);
  return {};
}

void IngestSession::welcome(std::vector<StreamState> streams, std::uint64_t credit, Time wall) {
  if (ended_) return;
  streams_ = std::move(streams);
  std::vector<wire::Mark> marks;
  for (const auto& stream : streams_) marks.push_back(stream.mark());
  machine_.welcome(std::move(marks), credit, wall);
}

std::uint32_t IngestSession::resolve(wire::StreamIndex stream, const Labels& labels) {
  const auto& tenant = streams_[stream].key.tenant;
  const auto id = host_.resolve(tenant, identity_.agent, labels);
  if (id == wire::kRefusedSeries)
    ++refused_[tenant];
  else
    series_.push_back(id);
  return id;
}

void IngestSession::record(wire::StreamIndex stream, wire::Record record, std::uint64_t refused) {
  ++counts_.records;
  counts_.samples += record.samples.size();
  if (planted(Planted::ack_before_commit)) machine_.committed(stream, record.seq);
  host_.submit(ReceivedRecord{streams_[stream].row, std::move(record), refused});
}

void IngestSession::gap(wire::StreamIndex stream, const Gap& gap) {
  counts_.gap_samples += gap.samples;
  host_.submit(ReceivedGap{streams_[stream].row, gap});
}

void IngestSession::duplicate(wire::StreamIndex stream, Sequence seq, std::uint32_t digest) {
  host_.duplicate(streams_[stream].row, seq, digest, identity_.agent);
}

void IngestSession::meta(const wire::Meta& meta) {
  std::set<TenantId> tenants;
  for (const auto& stream : machine_.hello().streams) tenants.insert(stream.tenant);
  for (const auto& tenant : tenants)
    for (const auto& metric : meta.entries) host_.describe(tenant, metric);
}

void IngestSession::on_committed(std::span<const Committed> committed) {
  if (ended_ || !machine_.open()) return;
  for (const auto& [row, durable, arrived] : committed)
    for (std::size_t i = 0; i < streams_.size(); ++i)
      if (streams_[i].row == row && durable > streams_[i].durable) {
        streams_[i].durable = durable;
        if (!planted(Planted::ack_before_commit)) machine_.committed(static_cast<wire::StreamIndex>(i), durable);
      }
}

void IngestSession::set_credit(std::uint64_t limit) {
  if (!ended_ && machine_.open()) machine_.set_credit(limit);
}

}  // namespace ward::collector
