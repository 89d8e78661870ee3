#include "collector/store/postgres/pg_shared_state.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "collector/store/postgres/pg_schema.hpp"

namespace ward::collector {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kBytesASecond = 10 * 1024 * 1024;
constexpr std::size_t kLarge = 8 * 1024 * 1024;         ///< libpq keeps its largest buffer for as long as the connection
constexpr std::size_t kMostBytes = 1000 * 1000 * 1000;  ///< a row's value ends at 1 GiB (manual, appendix K)

/// Who comes second waits for who comes first and then looks at what that one wrote. A lease that somebody deleted begins
/// above every token that was ever written.
constexpr const char* kClaim = R"(
INSERT INTO ward_lease AS lease (name, holder, address, token, session, expires)
VALUES ($1::text, $2::text, $3::text,
        CASE WHEN EXISTS (SELECT FROM ward_lease WHERE name = $1::text) THEN 1 ELSE 1 + greatest(
          coalesce((SELECT max(token) FROM ward_state_image WHERE name = $1::text), 0),
          coalesce((SELECT max(token) FROM ward_state_change WHERE name = $1::text), 0)) END,
        0, clock_timestamp() + $4::bigint * interval '1 millisecond')
ON CONFLICT (name) DO UPDATE SET
  token = lease.token + CASE WHEN lease.holder = excluded.holder AND $5::bigint = 0 THEN 0 ELSE 1 END,
  holder = excluded.holder, address = excluded.address,
  expires = clock_timestamp() + $4::bigint * interval '1 millisecond'
WHERE (lease.holder = excluded.holder AND $5::bigint = 0) OR lease.expires <= clock_timestamp()
RETURNING token, holder, address)";

constexpr const char* kWhoLeads = R"(
SELECT token, holder, address, ((holder = $2::text AND $3::bigint = 0) OR expires <= clock_timestamp())::int::bigint
FROM ward_lease WHERE name = $1::text)";

constexpr const char* kRelease = R"(
UPDATE ward_lease SET expires = clock_timestamp()
WHERE name = $1::text AND holder = $2::text AND token = $3::bigint AND expires > clock_timestamp())";

constexpr const char* kTicket = R"(
UPDATE ward_lease SET session = session + 1
WHERE name = $1::text AND holder = $2::text AND token = $3::bigint RETURNING session)";

constexpr const char* kAppend = R"(
WITH mine AS (
  SELECT name, token FROM ward_lease
  WHERE name = $1::text AND holder = $2::text AND token = $3::bigint AND session = $4::bigint FOR SHARE)
INSERT INTO ward_state_change (name, number, token, changes)
SELECT name, $5::bigint, token, $6::bytea FROM mine
ON CONFLICT (name, number) DO UPDATE SET token = excluded.token, changes = excluded.changes
RETURNING number)";

constexpr const char* kKeep = R"(
WITH mine AS (
  SELECT name, token FROM ward_lease
  WHERE name = $1::text AND holder = $2::text AND token = $3::bigint AND session = $4::bigint FOR SHARE),
dropped AS (
  DELETE FROM ward_state_change AS change USING mine WHERE change.name = mine.name)
INSERT INTO ward_state_image (name, number, token, image, kept_at)
SELECT name, $5::bigint, token, $6::bytea, clock_timestamp() FROM mine
ON CONFLICT (name) DO UPDATE SET
  number = excluded.number, token = excluded.token, image = excluded.image, kept_at = excluded.kept_at
RETURNING number)";

constexpr const char* kSize = R"(
SELECT coalesce((SELECT octet_length(image) FROM ward_state_image WHERE name = $1::text), 0)::bigint
     + coalesce((SELECT sum(octet_length(changes)) FROM ward_state_change WHERE name = $1::text), 0)::bigint)";

/// One statement sees one moment. The image first, if there is one, then the changes.
constexpr const char* kFetch = R"(
SELECT 0::bigint AS kind, number, token, image AS content FROM ward_state_image WHERE name = $1::text
UNION ALL
SELECT 1::bigint, number, token, changes FROM ward_state_change
WHERE name = $1::text AND number > coalesce((SELECT number FROM ward_state_image WHERE name = $1::text), 0)
ORDER BY kind, number)";

LeaseAnswer answer_of(const PgRows& rows, bool mine) {
  return {.mine = mine, .token = rows.number(0, 0), .holder = rows.text(0, 1), .address = rows.text(0, 2)};
}

milliseconds allowance(milliseconds timeout, std::size_t bytes) {
  return timeout + std::chrono::seconds{bytes / kBytesASecond};
}

}  // namespace

PgSharedState::PgSharedState(PgSharedStateOptions options)
    : options_(std::move(options)),
      session_({.connection = options_.connection, .password = options_.password, .timeout = options_.timeout}) {}

Status PgSharedState::ready(std::size_t bytes) {
  if (!session_.usable()) {
    auto connected = session_.connect();
    if (connected) connected = ensure_shared_schema(session_);
    if (!connected) {
      session_.close();
      return connected;
    }
  }
  return session_.allow(allowance(options_.timeout, bytes));
}

Result<LeaseAnswer> PgSharedState::claim(milliseconds ttl, bool fresh) {
  if (auto is = ready(0); !is) return fail(std::move(is.error()));
  const std::array values{PgValue::text(options_.name), PgValue::text(options_.holder), PgValue::text(options_.address),
                          PgValue::number(ttl.count()), PgValue::number(fresh ? 1 : 0)};
  const std::array who{values[0], values[1], values[4]};
  // Whoever tries to take the lease waits for the leader's writes, which lock it. So a collector that does not lead looks
  // first.
  if (!leads_) {
    const auto now = session_.run(kWhoLeads, who, "who has the lease");
    if (!now) return fail(now.error());
    if (!now->empty() && now->number(0, 3) == 0) return answer_of(*now, false);
  }
  auto taken = session_.run(kClaim, values, "to take the lease");
  if (!taken) return fail(std::move(taken.error()));
  leads_ = !taken->empty();
  if (leads_) return answer_of(*taken, true);
  auto other = session_.run(kWhoLeads, who, "who has the lease");
  if (!other) return fail(std::move(other.error()));
  if (!other->empty()) return answer_of(*other, false);
  return fail(Errc::unavailable,
              "The lease of " + options_.name + " in PostgreSQL at " + session_.side().place +
                  " was deleted while Ward asked for it",
              "Leave Ward's tables to the collectors; it is asked for again.");
}

Status PgSharedState::release(std::int64_t token) {
  if (auto is = ready(0); !is) return is;
  const std::array values{PgValue::text(options_.name), PgValue::text(options_.holder), PgValue::number(token)};
  auto done = session_.run(kRelease, values, "to end the lease");
  if (!done) return fail(std::move(done.error()));
  return {};
}

Status PgSharedState::append(std::int64_t token, std::int64_t number, Bytes changes) {
  return write({kAppend, "to add a change of the state", token, number, changes});
}

Status PgSharedState::keep(std::int64_t token, std::int64_t number, Bytes image) {
  return write({kKeep, "to keep an image of the state", token, number, image});
}

Status PgSharedState::write(const Write& what) {
  if (what.bytes.size() > kMostBytes)
    return fail(Errc::invalid,
                "The state has " + std::to_string(what.bytes.size()) + " bytes, more than PostgreSQL keeps in a row",
                "Shorten how long resolved incidents are kept.");
  if (auto is = ready(what.bytes.size()); !is) return is;
  // A late statement of a former connection may have taken the ticket after us: then once more.
  for (int attempt = 0; attempt < 2; ++attempt) {
    const bool valid = ticket_ && ticket_->generation == session_.generation() && ticket_->token == what.token;
    if (!valid || attempt > 0)
      if (auto given = take_ticket(what.token); !given) return given;
    const std::array values{PgValue::text(options_.name),      PgValue::text(options_.holder), PgValue::number(what.token),
                            PgValue::number(ticket_->session), PgValue::number(what.number),   PgValue::bytes(what.bytes)};
    auto written = session_.run(what.sql, values, what.purpose);
    if (!written) return fail(std::move(written.error()));
    if (written->empty()) continue;
    shed(what.bytes.size());
    return {};
  }
  return replaced(what.token);
}

Status PgSharedState::take_ticket(std::int64_t token) {
  ticket_.reset();
  const std::array values{PgValue::text(options_.name), PgValue::text(options_.holder), PgValue::number(token)};
  auto given = session_.run(kTicket, values, "whether this collector still leads");
  if (!given) return fail(std::move(given.error()));
  if (given->empty()) return replaced(token);
  ticket_ = Ticket{session_.generation(), token, given->number(0, 0)};
  return {};
}

tl::unexpected<Error> PgSharedState::replaced(std::int64_t token) const {
  return fail(Errc::denied,
              options_.holder + " no longer leads " + options_.name + ": its token " + std::to_string(token) +
                  " is not that of the lease in PostgreSQL at " + session_.side().place,
              "Nothing to do: another collector leads.");
}

void PgSharedState::shed(std::size_t bytes) {
  if (bytes > kLarge) session_.close();
}

Result<SharedCopy> PgSharedState::fetch() {
  if (auto is = ready(0); !is) return fail(std::move(is.error()));
  const std::array values{PgValue::text(options_.name)};
  auto sized = session_.run(kSize, values, "how large the state is");
  if (!sized) return fail(std::move(sized.error()));
  const auto bytes = static_cast<std::size_t>(std::max<std::int64_t>(0, sized->number(0, 0)));
  if (auto more = session_.allow(allowance(options_.timeout, bytes)); !more) return fail(std::move(more.error()));
  auto rows = session_.run(kFetch, values, "for the state");
  if (!rows) return fail(std::move(rows.error()));
  SharedCopy copy;
  for (int row = 0; row < rows->size(); ++row) {
    const auto number = rows->number(row, 1);
    const bool image = rows->number(row, 0) == 0;
    if (!image && number != copy.number + 1)
      return fail(Errc::corrupt,
                  "The shared state of " + options_.name + " in PostgreSQL at " + session_.side().place + " has no change " +
                      std::to_string(copy.number + 1) + ", but has change " + std::to_string(number),
                  "Restore the tables ward_state_image and ward_state_change together, or delete the rows of this pair.");
    copy.number = number;
    copy.token = std::max(copy.token, rows->number(row, 2));
    if (image)
      copy.image = rows->bytes(row, 3);
    else
      copy.changes.push_back(rows->bytes(row, 3));
  }
  shed(bytes);
  return copy;
}

}  // namespace ward::collector
