#include "probes/data/postgres_session.hpp"

#include <libpq-fe.h>
#include <mutex>
#include <poll.h>
#include <pqxx/basic_connection>
#include <pqxx/connectionpolicy.hxx>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <sys/socket.h>
#include <utility>

#include "common/base/thread_annotations.hpp"

namespace ward::probes::data {
namespace {

/// Connects with a deadline and with bare SQLSTATEs as error texts; libpqxx's own policies have neither.
class DeadlinePolicy : public pqxx::connectionpolicy {
 public:
  explicit DeadlinePolicy(const std::string& options) : connectionpolicy(options) {}
  static constexpr std::string_view kTimedOut = "ward: connect timed out";

  handle do_startconnect(handle orig) override {
    if (orig != nullptr) return orig;
    // libpqxx reconnects behind the caller's back; a lost connection is ours to judge.
    if (std::exchange(started_, true)) throw pqxx::broken_connection("lost");
    auto* conn = PQconnectStart(options().c_str());
    if (conn == nullptr) throw std::bad_alloc();
    PQsetErrorVerbosity(conn, PQERRORS_SQLSTATE);
    PQsetErrorContextVisibility(conn, PQSHOW_CONTEXT_NEVER);
    return conn;
  }

  handle do_completeconnect(handle conn) override {
    if (conn == nullptr || PQstatus(conn) == CONNECTION_OK) return conn;
    const auto until = std::chrono::steady_clock::now() + timeout_;
    auto state = PQstatus(conn) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
      // libpqxx frees the handle when this throws.
      if (state == PGRES_POLLING_FAILED) throw pqxx::broken_connection(PQerrorMessage(conn));
      const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
      pollfd fd{PQsocket(conn), static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
      if (left.count() <= 0 || ::poll(&fd, 1, static_cast<int>(left.count())) == 0)
        throw pqxx::broken_connection(std::string(kTimedOut));
      state = PQconnectPoll(conn);
    }
    return conn;
  }

 private:
  bool started_ = false;
  milliseconds timeout_{3000};
};

using Connection = pqxx::basic_connection_base<DeadlinePolicy>;

/// libpq's quoting of a connection parameter (manual, 34.1.1).
std::string parameter(std::string_view name, std::string_view value) {
  std::string out{name};
  out += "='";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "' ";
}

std::string options_of(const PostgresTarget& t) {
  std::string text = parameter("host", t.host) + parameter("port", std::to_string(t.port)) +
                     parameter("dbname", t.database) + parameter("user", t.user) + parameter("sslmode", t.sslmode) +
                     parameter("application_name", "ward") + parameter("client_encoding", "UTF8") +
                     parameter("connect_timeout", "3") + parameter("gssencmode", "disable");
  if (!t.password.empty()) text += parameter("password", t.password.reveal());
  if (!t.sslrootcert.empty()) text += parameter("sslrootcert", t.sslrootcert);
  return text + "keepalives=1 keepalives_idle=10 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=10000";
}

/// Session defaults are not trusted and session state is not wanted behind a pooler: everything is local to the batch.
/// jit off: compiling a batch of this size costs more than running it.
std::string preamble(const PostgresTarget& t, std::string_view mode) {
  return "BEGIN " + std::string(mode) + "; SET LOCAL statement_timeout = " + std::to_string(t.statement_timeout.count()) +
         "; SET LOCAL lock_timeout = " + std::to_string(t.lock_timeout.count()) +
         "; SET LOCAL idle_in_transaction_session_timeout = 5000; SET LOCAL search_path = pg_catalog; SET LOCAL jit = off; ";
}

}  // namespace

struct PostgresSession::Impl {
  PostgresTarget target;
  std::unique_ptr<Connection> connection;
  std::mutex mutex;
  int fd WARD_GUARDED_BY(mutex) = -1;  ///< of the open connection, for abort()

  void watch(int socket) {
    const std::scoped_lock lock(mutex);
    fd = socket;
  }
  void drop() {
    watch(-1);
    try {
      connection.reset();
    } catch (const std::exception&) {
      // A connection that cannot even be closed cleanly is gone all the same.
    }
  }

  template <class Work>
  auto guarded(std::string_view part, Work work) -> PostgresResult<decltype(work())> {
    if (!connection) return tl::unexpected(statement_failure("", part, target));
    std::string sqlstate;
    try {
      return work();
    } catch (const pqxx::sql_error& e) {
      // libpqxx forgets the code of some of its classes (insufficient_privilege); the text has it.
      sqlstate = e.sqlstate().empty() ? sqlstate_in(e.what()) : e.sqlstate();
      if (sqlstate.empty()) sqlstate = "XX000";
    } catch (const std::exception&) {
      sqlstate.clear();
    }
    auto failure = statement_failure(sqlstate, part, target);
    if (failure.connection_lost || !roll_back()) drop();
    return tl::unexpected(std::move(failure));
  }

  bool roll_back() {
    try {
      pqxx::nontransaction tx(*connection);
      tx.exec("ROLLBACK");
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }
};

PostgresSession::PostgresSession(PostgresTarget target) : impl_(std::make_unique<Impl>()) {
  impl_->target = std::move(target);
}
PostgresSession::~PostgresSession() { impl_->drop(); }

const PostgresTarget& PostgresSession::target() const { return impl_->target; }
bool PostgresSession::connected() const { return impl_->connection != nullptr; }
void PostgresSession::disconnect() { impl_->drop(); }

PostgresResult<void> PostgresSession::connect() {
  impl_->drop();
  try {
    impl_->connection = std::make_unique<Connection>(options_of(impl_->target));
    impl_->watch(impl_->connection->sock());
    return {};
  } catch (const std::exception& e) {
    const std::string_view text = e.what();
    if (text == DeadlinePolicy::kTimedOut) return tl::unexpected(connect_timed_out(impl_->target));
    return tl::unexpected(connect_failure(text, impl_->target));
  }
}

PostgresResult<std::string> PostgresSession::ask(const std::string& select, std::string_view part) {
  const auto work = [&]() -> std::string {
    pqxx::nontransaction tx(*impl_->connection);
    const auto rows = tx.exec(preamble(impl_->target, "READ ONLY") + select);
    std::string value;
    if (!rows.empty() && !rows[0][0].is_null()) value = rows[0][0].c_str();
    tx.exec("COMMIT");
    return value;
  };
  return impl_->guarded(part, work);
}

PostgresResult<void> PostgresSession::write(const std::string& statement, std::string_view part) {
  const auto work = [&]() -> bool {
    pqxx::nontransaction tx(*impl_->connection);
    tx.exec(preamble(impl_->target, "READ WRITE") + statement);
    tx.exec("COMMIT");
    return true;
  };
  auto done = impl_->guarded(part, work);
  if (!done) return tl::unexpected(std::move(done.error()));
  return {};
}

void PostgresSession::abort() {
  const std::scoped_lock lock(impl_->mutex);
  if (impl_->fd >= 0) ::shutdown(impl_->fd, SHUT_RDWR);
}

}  // namespace ward::probes::data
