#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "collector/leadership/shared_state.hpp"
#include "collector/store/postgres/pg_session.hpp"
#include "common/base/secret.hpp"

namespace ward::collector {

struct PgSharedStateOptions {
  /// libpq's keywords or URI, without a password: "host=db-1,db-2 dbname=ward user=ward sslmode=verify-full
  /// sslrootcert=/etc/ward/ca.pem". Of several hosts the first that can be written to is used.
  std::string connection;
  Secret password;
  std::string name;                         ///< of the pair: several pairs may share one database
  std::string holder;                       ///< this collector; no other one of the pair has this name
  std::string address;                      ///< where people reach it
  std::chrono::milliseconds timeout{2000};  ///< of connecting, and of each call once connected
};

/// The shared state in PostgreSQL; the tables are described in pg_schema.hpp. All time is the server's.
///
/// Blocks for at most `timeout` to connect and `timeout` more for the statements of a call; what carries a large image may
/// take a second longer for each 10 MiB of it.
///
/// A write locks the lease and looks at its token in one statement, so none of a leader that was replaced can follow its
/// successor's claim. For the same reason a statement that was given up, and that the server runs late, can change nothing
/// once this object has written over another connection: a leader's first write over a connection gives the lease a new
/// session, and others are refused.
///
/// The fence is as good as the database's memory: a fail-over of PostgreSQL to a standby that lacks the last commits brings
/// an older token back, so such a pair needs synchronous replication. A proxy between must give each connection a session of
/// its own (PgBouncer: pool_mode = session).
///
/// Errors besides those of SharedState: Errc::invalid when somebody must change the configuration here or there (password,
/// grants, certificates, tables of a later Ward), Errc::corrupt when what was read cannot be a state file.
/// Thread: one at a time; a thread that may block.
class PgSharedState final : public SharedState {
 public:
  explicit PgSharedState(PgSharedStateOptions options);

  Result<LeaseAnswer> claim(std::chrono::milliseconds ttl, bool fresh) override;
  Status release(std::int64_t token) override;
  Status append(std::int64_t token, std::int64_t number, Bytes changes) override;
  Status keep(std::int64_t token, std::int64_t number, Bytes image) override;
  Result<SharedCopy> fetch() override;

 private:
  /// What one write needs to know of its statement.
  struct Write {
    const char* sql;
    const char* purpose;
    std::int64_t token;
    std::int64_t number;
    Bytes bytes;
  };
  /// The session of the lease that this connection may write under.
  struct Ticket {
    std::uint64_t generation = 0;
    std::int64_t token = 0;
    std::int64_t session = 0;
  };
  /// Connected, tables there, and the time for `bytes` granted.
  Status ready(std::size_t bytes);
  Status write(const Write& what);
  Status take_ticket(std::int64_t token);
  /// Gives back what libpq holds on to after a large statement.
  void shed(std::size_t bytes);
  [[nodiscard]] tl::unexpected<Error> replaced(std::int64_t token) const;

  PgSharedStateOptions options_;
  PgSession session_;
  std::optional<Ticket> ticket_;
  bool leads_ = false;  ///< by the last claim
};

}  // namespace ward::collector
