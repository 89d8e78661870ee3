#pragma once
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace ward::collector {

/// One server a connection may go to: everything libpq is told but the password.
struct PgTarget {
  std::string place;  ///< "db-1:5432", for messages
  std::map<std::string, std::string> settings;
  friend bool operator==(const PgTarget&, const PgTarget&) = default;
};

/// What of libpq's keywords or URI says, one target for each of its hosts: libpq's own way through several hosts knows no
/// deadline for each, so that one that is silent would hide the next. Adds what a leader needs and the text leaves open:
/// keep-alives, an end of silent connections after `timeout`, and only servers that can be written to. Errc::invalid
/// without a host or with a password; the text itself is never in an error, because it may hold one.
Result<std::vector<PgTarget>> pg_targets(const std::string& connection, std::chrono::milliseconds timeout);

}  // namespace ward::collector
