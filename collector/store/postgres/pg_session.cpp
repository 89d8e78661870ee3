#include "collector/store/postgres/pg_session.hpp"

#include <algorithm>
#include <libpq-fe.h>
#include <poll.h>
#include <utility>

#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kNumberSize = 8;

MonoTime now() { return std::chrono::steady_clock::now(); }

/// False when nothing happened until then.
bool wait_for(int socket, short events, MonoTime until) {
  const auto left = std::chrono::ceil<milliseconds>(until - now()).count();
  if (left <= 0) return false;
  pollfd fd{socket, events, 0};
  return ::poll(&fd, 1, static_cast<int>(left)) != 0;  // a signal (-1) is a reason to look again, as any event is
}

std::string setting(const PgTarget& target, const std::string& keyword, const std::string& missing) {
  const auto found = target.settings.find(keyword);
  return found == target.settings.end() ? missing : found->second;
}

PgSide side_of(const PgTarget& target) {
  const auto user = setting(target, "user", "of this process");
  return {target.place, user, setting(target, "dbname", user)};
}

/// The server gives up a little earlier than we do, so that it can say why.
milliseconds for_statement(milliseconds limit) { return limit - limit / 10; }
milliseconds for_lock(milliseconds limit) { return limit - limit / 4; }

}  // namespace

const char* PgValue::data() const {
  if (!binary_) return text_.c_str();
  return bytes_.empty() ? "" : reinterpret_cast<const char*>(bytes_.data());  // libpq reads a null pointer as NULL
}

int PgRows::size() const { return PQntuples(result_.get()); }

std::span<const std::uint8_t> PgRows::field(int row, int column) const {
  return {reinterpret_cast<const std::uint8_t*>(PQgetvalue(result_.get(), row, column)),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t PgRows::number(int row, int column) const {
  const auto field_bytes = field(row, column);
  WARD_ASSERT(field_bytes.size() == kNumberSize);
  std::uint64_t value = 0;
  for (const auto byte : field_bytes) value = value << 8U | byte;  // network order
  return static_cast<std::int64_t>(value);
}

std::string PgRows::text(int row, int column) const {
  const auto field_bytes = field(row, column);
  return {field_bytes.begin(), field_bytes.end()};
}

std::vector<std::uint8_t> PgRows::bytes(int row, int column) const {
  const auto field_bytes = field(row, column);
  return {field_bytes.begin(), field_bytes.end()};
}

void PgSession::CloseConnection::operator()(pg_conn* connection) const { PQfinish(connection); }

bool PgSession::usable() const {
  if (!connection_) return false;
  // Between statements a server has nothing to say but that it ends the connection.
  pollfd fd{PQsocket(connection_.get()), POLLIN, 0};
  return ::poll(&fd, 1, 0) == 0;
}

PgSide PgSession::side() const { return targets_.empty() ? PgSide{} : side_of(targets_[current_]); }

void PgSession::close() {
  connection_.reset();
  told_the_server_.reset();
}

Status PgSession::connect() {
  close();
  if (targets_.empty()) {
    auto targets = pg_targets(options_.connection, options_.timeout);
    if (!targets) return fail(std::move(targets.error()));
    targets_ = std::move(*targets);
  }
  limit_ = options_.timeout;
  until_ = now() + limit_;
  std::optional<Error> failure;
  for (std::size_t tried = 0; tried < targets_.size(); ++tried) {
    const auto index = (current_ + tried) % targets_.size();
    const auto share = (until_ - now()) / static_cast<std::int64_t>(targets_.size() - tried);
    auto made = connect_to(targets_[index], now() + share);
    if (made) {
      current_ = index;
      connection_ = std::move(*made);
      ++generation_;
      return prepare();
    }
    if (!failure) {
      failure = std::move(made.error());
      continue;
    }
    failure->what += "; " + made.error().what;
    if (made.error().code == Errc::unavailable) failure->code = Errc::unavailable;
  }
  return fail(std::move(*failure));
}

Result<PgSession::Connection> PgSession::connect_to(const PgTarget& target, MonoTime until) {
  const auto side = side_of(target);
  const auto host = setting(target, "host", "");
  // A path is a socket's directory, and an address needs no name.
  if (host.empty() || host.front() == '/' || host.front() == '@' || target.settings.contains("hostaddr"))
    return connect_by(target.settings, side, until);
  const auto addresses = lookup_.addresses(host, until);
  if (!addresses) return fail(pg_lookup_failure(addresses.error().code, side));
  auto settings = target.settings;
  Result<Connection> made;
  for (std::size_t tried = 0; tried < addresses->size(); ++tried) {
    settings["hostaddr"] = (*addresses)[tried];  // `host` stays what the certificate must say
    const auto share = (until - now()) / static_cast<std::int64_t>(addresses->size() - tried);
    made = connect_by(settings, side, now() + share);
    if (made) break;
  }
  return made;
}

Result<PgSession::Connection> PgSession::connect_by(const std::map<std::string, std::string>& settings, const PgSide& side,
                                                    MonoTime until) const {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  const auto give = [&](const char* keyword, const std::string& value) {
    keywords.push_back(keyword);
    values.push_back(value.c_str());
  };
  for (const auto& [keyword, value] : settings) give(keyword.c_str(), value);
  if (!options_.password.empty()) give("password", options_.password.reveal());
  keywords.push_back(nullptr);
  values.push_back(nullptr);

  Connection connection(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!connection) throw std::bad_alloc();
  auto* const raw = connection.get();
  PQsetErrorVerbosity(raw, PQERRORS_SQLSTATE);
  PQsetErrorContextVisibility(raw, PQSHOW_CONTEXT_NEVER);
  PQsetNoticeProcessor(
      raw, [](void*, const char*) {}, nullptr);  // its own writes to standard error
  auto state = PQstatus(raw) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) return fail(pg_connect_failure(PQerrorMessage(raw), side));
    const auto events = static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT);
    if (!wait_for(PQsocket(raw), events, until)) return fail(pg_connect_timed_out(side, options_.timeout));
    state = PQconnectPoll(raw);
  }
  if (PQsetnonblocking(raw, 1) != 0) return fail(pg_statement_failure({}, "for a connection", side));
  return connection;
}

/// A lease that a crash of the server forgets would let two lead under one token, so an asynchronous commit is not enough.
Status PgSession::prepare() {
  const auto milliseconds_of = [](milliseconds limit) { return std::to_string(std::max<std::int64_t>(1, limit.count())); };
  auto done = script("SET lock_timeout = " + milliseconds_of(for_lock(options_.timeout)) +
                         "; SET statement_timeout = " + milliseconds_of(for_statement(options_.timeout)) +
                         "; SET default_transaction_isolation = 'read committed'"
                         "; SELECT set_config('synchronous_commit', 'on', false)"
                         " WHERE current_setting('synchronous_commit') = 'off'",
                     "for a connection");
  if (done) told_the_server_ = options_.timeout;
  return done;
}

Status PgSession::allow(milliseconds limit) {
  limit_ = limit;
  until_ = now() + limit;
  if (told_the_server_ == limit) return {};
  auto done = script("SET statement_timeout = " + std::to_string(for_statement(limit).count()), "for more time");
  if (done) told_the_server_ = limit;
  return done;
}

Status PgSession::script(const std::string& sql, std::string_view purpose) {
  if (!connection_ || PQsendQuery(connection_.get(), sql.c_str()) == 0) return lost({}, purpose);
  const auto answer = exchange(purpose);
  if (!answer) return fail(answer.error());
  return {};
}

Result<PgRows> PgSession::run(const char* sql, std::span<const PgValue> values, std::string_view purpose) {
  std::vector<const char*> data;
  std::vector<int> sizes;
  std::vector<int> formats;
  for (const auto& value : values) {
    data.push_back(value.data());
    sizes.push_back(static_cast<int>(value.size()));
    formats.push_back(value.binary() ? 1 : 0);
  }
  if (!connection_ || PQsendQueryParams(connection_.get(), sql, static_cast<int>(values.size()), nullptr, data.data(),
                                        sizes.data(), formats.data(), 1) == 0)
    return lost({}, purpose);
  auto answer = exchange(purpose);
  if (!answer) return fail(std::move(answer.error()));
  return PgRows(std::move(*answer));
}

PgSession::Wait PgSession::wait(short events) const {
  return wait_for(PQsocket(connection_.get()), events, until_) ? Wait::ready : Wait::timed_out;
}

/// Sends what waits to be sent and reads the last answer. The server may speak while we still send (an error, or TLS's own
/// affairs), and would stop reading until somebody listens.
Result<std::shared_ptr<pg_result>> PgSession::exchange(std::string_view purpose) {
  auto* const raw = connection_.get();
  for (int unsent = PQflush(raw); unsent != 0; unsent = PQflush(raw)) {
    if (unsent < 0) return lost({}, purpose);
    if (wait(POLLIN | POLLOUT) == Wait::timed_out) return too_late(purpose);
    if (PQconsumeInput(raw) == 0) return lost({}, purpose);
  }
  std::shared_ptr<pg_result> last;
  std::optional<std::string> sqlstate;
  while (true) {
    while (PQisBusy(raw) != 0) {
      if (wait(POLLIN) == Wait::timed_out) return too_late(purpose);
      if (PQconsumeInput(raw) == 0) return lost({}, purpose);
    }
    std::shared_ptr<pg_result> result(PQgetResult(raw), PQclear);
    if (!result) break;
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      const char* code = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
      if (!sqlstate || sqlstate->empty()) sqlstate = code == nullptr ? "" : code;
    }
    last = std::move(result);
  }
  if (sqlstate) return lost(*sqlstate, purpose);
  if (!last) return lost({}, purpose);
  return last;
}

tl::unexpected<Error> PgSession::lost(std::string_view sqlstate, std::string_view purpose) {
  auto error = pg_statement_failure(sqlstate, purpose, side());
  if (pg_ends_connection(sqlstate) || !connection_ || PQstatus(connection_.get()) != CONNECTION_OK) close();
  return fail(std::move(error));
}

tl::unexpected<Error> PgSession::too_late(std::string_view purpose) {
  close();  // the answer may still come, and nobody would know to what
  return fail(pg_statement_timed_out(purpose, side(), limit_));
}

}  // namespace ward::collector
