#pragma once
#include "collector/tsdb/label_table.hpp"
#include "common/base/hash_index.hpp"

namespace ward::collector {

/// Series by the hash of their labels.
using HashIndex = ward::HashIndex<SeriesRef>;

}  // namespace ward::collector
