#pragma once
#include "collector/store/postgres/pg_session.hpp"

namespace ward::collector {

/// The tables two collectors share, in the first schema of the role's search_path. All times are the server's.
///
///   ward_shared_schema  version: of these tables; one row
///   ward_lease          who leads the pair `name`. token: of the last leader, never goes down. session: counts the
///                       connections that its holder wrote over; only the last may write. expires: end of the lease
///   ward_state_image    the state file of the pair after change `number`
///   ward_state_change   what was changed since, in order
///
/// Makes what is missing; any number of collectors may do so at the same moment. Errc::invalid for tables of a later Ward,
/// and when the role may not write to them.
Status ensure_shared_schema(PgSession& session);

}  // namespace ward::collector
