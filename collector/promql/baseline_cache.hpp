#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/thread_annotations.hpp"
#include "common/base/time.hpp"
#include "common/model/labels.hpp"

namespace ward::promql {

/// What ward_baseline() said for the current hour, by call: it is the same for the whole hour, and read from weeks of
/// samples. For queries over one store and with one engine. Bounded: at most kMostCalls, each with its current hour alone.
/// Thread: any.
class BaselineCache {
 public:
  using Values = std::vector<std::pair<Labels, double>>;
  static constexpr std::size_t kMostCalls = 500;

  /// `call`: the call as it prints, and its quantile.
  [[nodiscard]] std::optional<Values> find(const std::string& call, Time hour) const;
  void put(const std::string& call, Time hour, Values values);
  /// For stores whose past changes: tests that begin anew.
  void clear();

 private:
  struct Entry {
    Time hour;
    Values values;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_ WARD_GUARDED_BY(mutex_);
};

}  // namespace ward::promql
