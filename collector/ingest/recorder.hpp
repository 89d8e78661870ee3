#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "collector/ingest/catalogue.hpp"
#include "collector/ingest/journal.hpp"

namespace ward::collector {

/// Where committed data goes next: the head of the tsdb (app.cpp wires it). Thread: the recorder's.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  virtual void define(SeriesId id, const Labels& labels) = 0;
  virtual void append(std::span<const wire::IdSample> samples) = 0;
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
  Recorder(Journal& journal, Catalogue& catalogue, SampleSink& sink)
      : journal_(journal), catalogue_(catalogue), sink_(sink) {}

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
  std::optional<Doubt> in_doubt_;
};

}  // namespace ward::collector
