#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "collector/ingest/catalogue.hpp"
#include "collector/ingest/journal.hpp"

namespace ward::collector {

/// Where committed data goes next: the head of the tsdb (application.cpp wires it). Thread: the recorder's.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  virtual void define(SeriesId id, const Labels& labels) = 0;
  virtual void append(std::span<const wire::IdSample> samples) = 0;
};

/// Keeps a copy of what is committed, to send it on (collector/forward). Must not fail a commit. Thread: the recorder's.
class RecordTap {
 public:
  virtual ~RecordTap() = default;
  /// Right before the journal commits these. What the last call brought and confirm() did not follow did not happen.
  virtual void offer(std::span<const JournalEntry> entries) = 0;
  /// The journal has the entries of the last offer().
  virtual void confirm(std::span<const JournalEntry> entries) = 0;
};

/// What one group commit made durable, per stream.
struct Committed {
  StreamRow stream;
  Sequence durable;
  bool arrived = true;  ///< something the head did not know
  friend bool operator==(const Committed&, const Committed&) = default;
};

/// Commits what sessions received and hands it on: nothing is acknowledged, and nothing is evaluated, that is not on
/// disk. No thread of its own: the shell (recorder_thread) or the simulator calls it.
class Recorder {
 public:
  /// `tap` may be null.
  Recorder(Journal& journal, Catalogue& catalogue, SampleSink& sink, RecordTap* tap = nullptr)
      : journal_(journal), catalogue_(catalogue), sink_(sink), tap_(tap) {}

  /// One transaction for all entries (at least one). Errc::full: nothing happened, keep the entries and try again later.
  /// Any other error: drop them unacknowledged and end the sessions; the agents greet again and send what is missing.
  Result<std::vector<Committed>> commit(std::span<const JournalEntry> entries);
  /// Whether the journal takes data again.
  Status probe();
  /// The streams' marks for a session that greets, after everything in doubt is settled.
  Result<std::vector<StreamState>> open_streams(std::span<const StreamKey> keys, std::span<const std::uint64_t> boots);

 private:
  // A commit whose sync failed may yet be found in the reopened journal. Then the stream's mark covers it and no agent
  // sends it again, so that it must reach the sink from here: otherwise it would stand in no chunk when its rows go.
  struct Doubt {
    std::vector<NewSeries> series;
    std::vector<JournalEntry> entries;
  };
  Result<std::vector<Committed>> resolve();
  std::vector<Committed> hand_on(std::span<const NewSeries> series, std::span<const JournalEntry> entries);

  Journal& journal_;
  Catalogue& catalogue_;
  SampleSink& sink_;
  RecordTap* tap_;
  std::optional<Doubt> in_doubt_;
};

}  // namespace ward::collector
