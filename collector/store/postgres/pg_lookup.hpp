#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"

namespace ward::collector {

/// Looks names up and waits no longer than it may. libpq would do it by itself, but blocks for as long as resolv.conf says,
/// which is half a minute when no name server answers. The system goes on with a lookup that was given up; the next call
/// for that name waits for the same one, so there is never more than one for a name. Thread: one at a time.
class PgLookup {
 public:
  PgLookup();
  PgLookup(const PgLookup&) = delete;
  PgLookup& operator=(const PgLookup&) = delete;
  ~PgLookup();
  /// The addresses of `host` in the order to try them; Errc::timed_out when `until` has come, Errc::not_found when there is
  /// no such name, Errc::unavailable otherwise. The texts are for whoever calls to write.
  Result<std::vector<std::string>> addresses(const std::string& host, MonoTime until);

 private:
  struct Request;
  std::map<std::string, std::unique_ptr<Request>> running_;  ///< by name: what the system still works on
};

}  // namespace ward::collector
