#pragma once
#include "collector/event/state.hpp"
#include "collector/store/volume/volume.hpp"

namespace ward::collector {

/// A state store that gives up the volume's reserve when the disk is full, and tries once more. Thread: the store's.
class ReservedStateStore final : public StateStore {
 public:
  /// Both must outlive it.
  ReservedStateStore(StateStore& store, DataVolume& volume) : store_(store), volume_(volume) {}
  Status commit(const StateChange& change) override;
  Result<LoadedState> load(Time resolved_after) override { return store_.load(resolved_after); }

 private:
  StateStore& store_;
  DataVolume& volume_;
};

}  // namespace ward::collector
