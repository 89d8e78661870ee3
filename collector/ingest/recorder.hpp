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
  friend bool operator==(const Committed&, const Committed&) = default;
};

/// Commits what sessions received and hands it on: nothing is acknowledged, and nothing is evaluated, that is not on
/// disk. No thread of its own: the shell (recorder_thread) or the simulator calls it.
class Recorder {
 public:
  Recorder(Journal& journal, Catalogue& catalogue, SampleSink& sink) : journal_(journal), catalogue_(catalogue), sink_(sink) {}

  /// One transaction for all entries. Errc::full: nothing happened, keep the entries and try again later. Any other
  /// error: the entries are dropped unacknowledged and the file was reopened; end the sessions, the agents send again.
  Result<std::vector<Committed>> commit(std::span<const JournalEntry> entries);

 private:
  Journal& journal_;
  Catalogue& catalogue_;
  SampleSink& sink_;
};

}  // namespace ward::collector
