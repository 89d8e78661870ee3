#include "collector/ingest/local_streams.hpp"

#include <boost/asio/redirect_error.hpp>
#include <utility>

#include "common/base/assert.hpp"

namespace ward::collector {

const AgentId& LocalStreams::agent() {
  static const AgentId name{"remote_write"};
  return name;
}

void LocalStreams::open(std::span<const StreamState> states) {
  for (const auto& state : states) {
    auto& stream = streams_[state.key.tenant];
    stream.row = state.row;
    stream.newest = state.durable;
  }
}

async::Task<Status> LocalStreams::write(TenantId tenant, LocalBatch batch) {
  const auto at = streams_.find(tenant);
  WARD_ASSERT(at != streams_.end());
  if (closed_ || batch.records.empty()) co_return closed_ ? Status(fail(*closed_)) : Status{};
  auto& stream = at->second;
  std::vector<JournalEntry> entries;
  entries.reserve(batch.records.size());
  for (auto& record : batch.records) {
    record.seq = stream.newest = next(stream.newest);
    entries.emplace_back(ReceivedRecord{stream.row, std::move(record), std::exchange(batch.refused, 0), batch.known});
  }
  const auto wait = std::make_shared<Wait>(executor_, stream.newest);
  stream.waits.push_back(wait);
  commits_.submit(std::move(entries));
  boost::system::error_code woken;
  if (!wait->outcome) co_await wait->ready.async_wait(async::asio::redirect_error(async::asio::use_awaitable, woken));
  end(std::move(batch.lease), wait->outcome && wait->outcome->has_value());
  if (!wait->outcome) throw boost::system::system_error(async::asio::error::operation_aborted);
  co_return *wait->outcome;
}

// What was not committed may stand before the journal still, held by a full disk: then after it.
void LocalStreams::end(Leases::Lease lease, bool committed) {
  if (committed || closed_ || !lease) return;
  commits_.exclusive([] {}, [held = std::move(lease)] {});
}

void LocalStreams::on_committed(const Committed& committed) {
  for (auto& [tenant, stream] : streams_) {
    if (stream.row != committed.stream) continue;
    while (!stream.waits.empty() && stream.waits.front()->last <= committed.durable) {
      const auto wait = std::move(stream.waits.front());
      stream.waits.pop_front();
      wait->outcome = Status{};
      wait->ready.cancel();
    }
  }
}

void LocalStreams::end_waits(const Error& why) {
  for (auto& [tenant, stream] : streams_) {
    for (const auto& wait : std::exchange(stream.waits, {})) {
      wait->outcome = fail(why);
      wait->ready.cancel();
    }
  }
}

void LocalStreams::close(const Error& why) {
  closed_ = why;
  end_waits(why);
}

std::vector<StreamRow> LocalStreams::rows() const {
  std::vector<StreamRow> out;
  for (const auto& [tenant, stream] : streams_) out.push_back(stream.row);
  return out;
}

std::size_t LocalStreams::waiting() const {
  std::size_t out = 0;
  for (const auto& [tenant, stream] : streams_) out += stream.waits.size();
  return out;
}

}  // namespace ward::collector
