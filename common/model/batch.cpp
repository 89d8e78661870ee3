#include "common/model/batch.hpp"

namespace ward {

std::string_view to_string(GapReason reason) {
  switch (reason) {
    case GapReason::trimmed: return "trimmed";
    case GapReason::spool_full: return "spool_full";
    case GapReason::corrupt: return "corrupt";
    case GapReason::rejected: return "rejected";
    case GapReason::crash: return "crash";
    case GapReason::disk_error: return "disk_error";
  }
  return "unknown";
}

}  // namespace ward
