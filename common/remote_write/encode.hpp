#pragma once
#include <span>
#include <string>
#include <vector>

#include "common/model/labels.hpp"
#include "common/model/sample.hpp"
#include "common/remote_write/write_request.hpp"

namespace ward::remote_write {

/// A series of a request to be sent.
struct OutgoingSeries {
  const Labels* labels = nullptr;
  std::vector<Sample> samples;  ///< by time; NaNs are sent bit by bit
  Metadata metadata;            ///< told by 2.0 alone; its metric is not: the series has a name
};

/// The message of these series, not packed yet. 1.0 tells metadata by encode_metadata().
std::string encode(Message message, std::span<const OutgoingSeries> series);
/// A 1.0 message of metadata alone, not packed yet.
std::string encode_metadata(std::span<const Metadata> metadata);

}  // namespace ward::remote_write
