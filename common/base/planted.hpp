#pragma once
#include <cstdint>

namespace ward {

/// Known mistakes that the simulator must be able to find (tests/sim): each is a bug somebody could write, planted at the
/// place where it would be written. Builds without WARD_PLANTED_BUGS (release) hold no trace of them.
enum class Planted : std::uint8_t {
  none,
  ack_before_commit,     ///< collector acknowledges what it received, not what it committed
  reuse_incarnation,     ///< agent keeps its incarnation over a restart
  trim_at_sent,          ///< spool trims what was sent instead of what was acknowledged
  trim_at_first_ack,     ///< spool trims at the fastest collector instead of the slowest
  drop_spool_on_damage,  ///< a damaged spool is deleted and nothing is said
  retry_failed_commit,   ///< journal repeats a commit that failed in fsync on the same connection
  ack_failed_commit,     ///< collector acknowledges a commit that failed in fsync
  forget_doubt,          ///< collector takes a commit that failed in fsync for undone without looking
  skip_settle,           ///< a file opened after a failed sync is believed as it reads
  count_whole_gap,       ///< the rest of a gap is sent with the samples of all of it
  trust_damaged_series,  ///< spool sends labels from a damaged row
  resume_at_newest,      ///< agent goes on with what is new, whatever WELCOME says
  watermark_apart,       ///< the stream's mark is committed before its records
  forget_gap,            ///< collector acknowledges a gap without storing it
  miscount_gap,          ///< a gap states the number of records instead of samples
  drop_silently,         ///< a full spool drops without a gap
  starve_backlog,        ///< only live streams are sent
  never_sync_spool,      ///< the spool never forces its file to disk
  forget_tail,           ///< records that a full disk refused die with the agent unheard of
};

#if defined(WARD_PLANTED_BUGS)
/// Set by the simulator's own test before a run; one thread.
inline thread_local Planted planted_bug = Planted::none;
[[nodiscard]] inline bool planted(Planted bug) { return planted_bug == bug; }
#else
[[nodiscard]] constexpr bool planted(Planted) { return false; }
#endif

}  // namespace ward
