#include "collector/store/volume/reserved_state.hpp"

namespace ward::collector {

Status ReservedStateStore::commit(const StateChange& change) {
  auto done = store_.commit(change);
  if (!done && done.error().code == Errc::full && volume_.give_up()) done = store_.commit(change);
  if (!done) return fail(volume_.explain(done.error()));
  return done;
}

}  // namespace ward::collector
