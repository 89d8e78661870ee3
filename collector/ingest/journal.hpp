#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"
#include "common/model/batch.hpp"
#include "common/model/ids.hpp"
#include "common/wire/frame.hpp"
#include "common/wire/record.hpp"

namespace ward::collector {

/// Row number of a stream in the journal.
using StreamRow = Strong<struct StreamRowTag, std::int64_t>;
/// The journal's own number of a series; records in it use nothing else.
using SeriesId = std::uint32_t;

/// What the journal says of one stream. Exact: sampled below durable = stored + refused + in gaps.
struct StreamState {
  StreamRow row;
  StreamKey key;
  std::uint64_t boot = 0;
  Sequence durable;
  std::uint64_t stored = 0;   ///< samples
  std::uint64_t refused = 0;  ///< samples of series above a cap
  std::uint64_t lost = 0;     ///< samples in gaps
  Time seen;                  ///< when forget_streams() last knew of life; the epoch before its first call
  [[nodiscard]] wire::Mark mark() const { return {durable, stored + refused + lost}; }
  friend bool operator==(const StreamState&, const StreamState&) = default;
};

struct ReceivedRecord {
  StreamRow stream;
  wire::Record record;  ///< samples carry SeriesIds
  std::uint64_t refused = 0;
  bool known = false;  ///< the head has its samples: they were told before they were durable
};
struct ReceivedGap {
  StreamRow stream;
  Gap gap;
};
using JournalEntry = std::variant<ReceivedRecord, ReceivedGap>;

/// Bytes of names and values of one series at most. Those of agents are smaller (and `tenant` comes to their labels); the
/// collector's own are refused beyond it, because a journal that wrote them would not read them again.
inline constexpr std::size_t kMaxLabelText = 16 << 10;
static_assert((wire::kMaxLabels + 1) * (wire::kMaxLabelName + wire::kMaxLabelValue) <= kMaxLabelText);

struct NewSeries {
  SeriesId id = 0;
  Labels labels;
  std::optional<std::int64_t> day{};  ///< the newest with chunks of it, when they were there before its row
};

/// The newest day (since 1970-01-01, UTC) of which the disk has chunks of a series.
struct StoredDay {
  SeriesId series = 0;
  std::int64_t day = 0;
};

/// Chunks that are on disk (collector/store/sqlite/days.hpp): with the journal's word they count, and its rows go.
struct ChunkBatch {
  std::int64_t number = 0;  ///< one more than Journal::batch()
  std::span<const NewSeries> series;
  std::span<const StoredDay> days;  ///< where it is newer than before
};

/// What the journal is told about streams that nobody sends any more.
struct Silence {
  Time now;  ///< goes on from the newest StreamState::seen, only while a collector listens: see StreamServer
  milliseconds forget_after{};
  std::vector<StreamRow> in_use;  ///< of open sessions, however quiet
};

/// The collector's durable side of a stream; SQLite implements it (collector/store/sqlite). One thread at a time.
/// An Errc::full commit changed nothing and may be tried again. After any other error it is open whether the commit
/// happened; streams() after a reopen() tells (collector/ingest/recorder does so).
class Journal {
 public:
  virtual ~Journal() = default;
  /// The streams' states, in this order. Needs no room on the disk: a stream that is new gets its row number here and its
  /// row with its first commit.
  virtual Result<std::vector<StreamState>> open_streams(std::span<const StreamKey> keys,
                                                        std::span<const std::uint64_t> boots) = 0;
  /// Series, records, gaps and the streams' marks in one durable transaction.
  virtual Status commit(std::span<const NewSeries> series, std::span<const JournalEntry> entries) = 0;
  virtual Status reopen() = 0;
  /// Forces something without meaning to disk: whether it takes data again, under its cap too. Errors as of commit().
  virtual Status probe() = 0;

  /// Everything the head needs after a start: first the series, then all records from Position{} on. A damaged row is
  /// counted and left out.
  struct KnownSeries {
    std::function<void(SeriesId, Labels)> series;
    std::function<void(StoredDay)> day = nullptr;  ///< after the series it names
  };
  using Position = Strong<struct JournalPositionTag, std::int64_t>;
  struct ReplayedRecords {
    Position last{};   ///< go on behind it
    bool end = false;  ///< there were no more
    std::uint64_t rows = 0;
    std::uint64_t damaged = 0;
    /// The highest number that they name. It stays that series' though its row may be damaged: another one that got it would
    /// be given its samples at the next start.
    std::optional<SeriesId> highest{};
  };
  struct ReplayedSeries {
    std::uint64_t damaged = 0;
    /// The highest number that a row was ever written for. Records may name numbers up to it, whatever became of the rows.
    std::optional<SeriesId> highest{};
  };
  virtual Result<ReplayedSeries> replay_series(const KnownSeries& take) = 0;
  /// Samples of records not yet in chunks, in the order in which they were committed: some of those behind `after`, at least
  /// `enough` samples when there are so many.
  virtual Result<ReplayedRecords> replay_records(Position after, std::size_t enough,
                                                 const std::function<void(std::vector<wire::IdSample>)>& take) = 0;
  /// A random number that no other journal has: chunks name series by numbers that are its own.
  virtual Result<std::int64_t> identity() = 0;
  /// The last batch of chunks that was settled; 0: none yet.
  virtual Result<std::int64_t> batch() = 0;
  /// Removes the rows that a batch of chunks covers (all committed so far) and takes its series, in one transaction: with it
  /// the chunks count. Refuses between an error and the next reopen(): rows that nobody has seen may have been committed.
  /// After an error other than Errc::full batch() tells, when it can, whether it happened.
  virtual Status settle_chunks(const ChunkBatch& batch) = 0;
  /// Retention: events and gaps wholly older than this. In several transactions; needs next to no room. Their room in the
  /// file is free for new rows, the file does not shrink. Refuses as settle_chunks() does.
  virtual Status drop_before(Time time) = 0;

  /// Rows of series that no chunk and no record names any more. In several transactions. Refuses as settle_chunks() does.
  virtual Status drop_series(std::span<const SeriesId> series) = 0;
  /// Notes which streams lived since the last call (opened, committed to, or in use) and forgets those that did not for
  /// longer than forget_after: no list has them any more. Their marks stay in the file for kKeepMarks, so that one that is
  /// opened again goes on where it ended, nothing twice and nothing taken for lost. Call it every half hour or so.
  virtual Status forget_streams(const Silence& silence) = 0;
  static constexpr std::chrono::hours kKeepMarks{90 * 24};

  [[nodiscard]] virtual Result<std::vector<StreamState>> streams() = 0;
  /// True when a stored record of this stream and sequence has another digest (the same number for two payloads).
  virtual Result<bool> contradicts(StreamRow stream, Sequence seq, std::uint32_t digest) = 0;
  /// Records of samples that no stored chunk covers, exactly: it only rises until settle_chunks() succeeds.
  [[nodiscard]] virtual std::uint64_t rows_since_chunks() const = 0;
};

}  // namespace ward::collector
