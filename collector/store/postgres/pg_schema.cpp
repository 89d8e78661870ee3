#include "collector/store/postgres/pg_schema.hpp"

namespace ward::collector {
namespace {

constexpr std::int64_t kVersion = 1;

/// One at a time by an advisory lock ("wardshsc"): CREATE TABLE IF NOT EXISTS alone fails when two do it at once. Images
/// are not compressed: that would take longer than to send them.
constexpr const char* kCreate = R"(
SELECT pg_advisory_xact_lock(8602282539012879203);
CREATE TABLE IF NOT EXISTS ward_lease (
  name text PRIMARY KEY, holder text NOT NULL, address text NOT NULL, token bigint NOT NULL,
  session bigint NOT NULL, expires timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS ward_state_image (
  name text PRIMARY KEY, number bigint NOT NULL, token bigint NOT NULL, image bytea NOT NULL, kept_at timestamptz NOT NULL);
ALTER TABLE ward_state_image ALTER COLUMN image SET STORAGE EXTERNAL;
CREATE TABLE IF NOT EXISTS ward_state_change (
  name text NOT NULL, number bigint NOT NULL, token bigint NOT NULL, changes bytea NOT NULL, PRIMARY KEY (name, number));
CREATE TABLE IF NOT EXISTS ward_shared_schema (version bigint PRIMARY KEY);
INSERT INTO ward_shared_schema SELECT 1 WHERE NOT EXISTS (SELECT FROM ward_shared_schema);
)";

constexpr const char* kComplete = R"(
SELECT bool_and(to_regclass(tables) IS NOT NULL)::int::bigint
FROM unnest(ARRAY['ward_lease', 'ward_state_image', 'ward_state_change', 'ward_shared_schema']) AS tables)";

/// A collector that does not lead only reads: it must not find out in the moment of a takeover that it may not write.
constexpr const char* kVersionAndRights = R"(
SELECT (SELECT coalesce(max(version), 0)::bigint FROM ward_shared_schema),
       bool_and(has_table_privilege(tables, rights))::int::bigint
FROM unnest(ARRAY['ward_lease', 'ward_state_image', 'ward_state_change']) AS tables,
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS rights)";

constexpr std::string_view kPurpose = "for its version of the shared tables";

}  // namespace

Status ensure_shared_schema(PgSession& session) {
  auto there = session.run(kComplete, {}, kPurpose);
  if (!there) return fail(std::move(there.error()));
  if (there->number(0, 0) == 0)
    if (auto made = session.script(kCreate, "to make the shared tables"); !made) return made;
  auto found = session.run(kVersionAndRights, {}, kPurpose);
  if (!found) return fail(std::move(found.error()));
  const auto version = found->number(0, 0);
  const auto side = session.side();
  if (version == kVersion && found->number(0, 1) == 0) return fail(pg_statement_failure("42501", kPurpose, side));
  if (version == kVersion) return {};
  return fail(Errc::invalid,
              "The shared tables in database " + side.database + " of PostgreSQL at " + side.place + " have version " +
                  std::to_string(version) + ", and this collector knows version " + std::to_string(kVersion),
              "Upgrade this collector, or give it a database of its own.");
}

}  // namespace ward::collector
