#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/odoo/master.hpp"

namespace ward::probes::odoo {

enum class WorkerKind : std::uint8_t { http, cron, gevent, other };
inline constexpr std::array kWorkerKinds{WorkerKind::http, WorkerKind::cron, WorkerKind::gevent, WorkerKind::other};
std::string_view to_string(WorkerKind kind);

/// The children of one Odoo master over time: who they are, who went and who came. A worker is its pid and start time, so
/// that a reused pid is a new worker.
class WorkerSet {
 public:
  struct Change {
    WorkerKind kind = WorkerKind::other;
    std::uint64_t start_ticks = 0;
    bool gone = false;  ///< else started
  };
  struct Totals {
    std::uint64_t count = 0;
    std::uint64_t largest_virtual_bytes = 0;
    std::uint64_t replaced = 0;  ///< went while the master stayed, since this object lives
    std::optional<std::uint64_t> memory_limit_bytes;
  };

  /// Looks at the master's children. The first look at a master reports no changes: these workers were there before.
  std::vector<Change> look(Host& host, const Master& master);
  /// Forgets the workers of the last master; totals of replacements stay.
  void follow_new_master();
  [[nodiscard]] Totals totals(WorkerKind kind) const;

 private:
  struct Worker {
    std::uint64_t start_ticks = 0;
    std::uint64_t virtual_bytes = 0;
    WorkerKind kind = WorkerKind::other;
    int looks = 0;
    bool announced = false;
    std::optional<std::uint64_t> memory_limit_bytes;
  };
  bool refresh(Host& host, const Master& master, std::uint32_t pid, Worker& worker);

  std::map<std::uint32_t, Worker> workers_;
  std::array<std::uint64_t, kWorkerKinds.size()> replaced_{};
  bool first_look_ = true;
};

}  // namespace ward::probes::odoo
