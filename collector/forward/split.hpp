#pragma once
#include <memory>
#include <vector>

#include "collector/forward/block.hpp"

namespace ward::collector {

/// The two halves of a packed 1.0 request: of its series, or of the samples of its only one, older ones first. Empty when
/// it has one sample, or cannot be read.
std::vector<std::shared_ptr<const SendBatch>> split(const SendBatch& batch);

}  // namespace ward::collector
