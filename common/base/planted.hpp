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
  // Of paging (tests/sim/paging):
  forget_hold_on_reload,     ///< a reload begins every `for` anew
  forget_hold_at_restart,    ///< a restart begins every `for` anew
  accept_before_commit,      ///< a page may be sent before it is stored
  step_apart,                ///< the step of an escalation is committed before its messages
  end_unstored,              ///< the end of an incident is told and not stored
  forget_ack,                ///< an acknowledgement is in memory only
  ack_outlives_class,        ///< an acknowledgement counts for the graver incident, too
  step_counts_from_opening,  ///< the next level's time runs while a silence keeps the first from hearing
  forget_told,               ///< who was told is in memory only
  silence_swallows_end,      ///< nobody hears the end of what is silenced by then
  end_for_first_alone,       ///< of several who were told one hears the end
  dedup_follows_merge,       ///< the end of a merged incident goes out under the other one's id
  update_replaces_page,      ///< what is new takes the place of a page that waits
  page_in_flight_counts,     ///< a graver page is left out while an earlier one is being sent
  second_channel_after_end,  ///< what has ended goes to a second receiver all the same
  drop_on_reload,            ///< a reload forgets the pages that wait
  give_up_retrying,          ///< eight attempts are thought to be enough
  record_before_reply,       ///< a page is recorded as delivered before its receiver has answered
};

#if defined(WARD_PLANTED_BUGS)
/// Set by the simulator's own test before a run; one thread.
inline thread_local Planted planted_bug = Planted::none;
[[nodiscard]] inline bool planted(Planted bug) { return planted_bug == bug; }
#else
[[nodiscard]] constexpr bool planted(Planted) { return false; }
#endif

}  // namespace ward
