#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/wire/frame.hpp"

namespace ward::wire {

/// A series the collector does not take (caps): its samples are counted, not stored.
inline constexpr std::uint32_t kRefusedSeries = ~std::uint32_t{0};

/// Where a collector's session hands on what it received. Ids of records are the port's own (from resolve()).
class SessionPort {
 public:
  virtual ~SessionPort() = default;
  /// Checks who speaks (the certificate's identity) for whom; an error is told to the peer and ends the session. The port
  /// answers later by CollectorSession::welcome().
  virtual Status hello(const Hello& hello) = 0;
  /// The port's number for a series of this stream, or kRefusedSeries.
  virtual std::uint32_t resolve(StreamIndex stream, const Labels& labels) = 0;
  /// The next record of a stream. `refused` samples of it were left out because of caps.
  virtual void record(StreamIndex stream, Record record, std::uint64_t refused) = 0;
  virtual void gap(StreamIndex stream, const Gap& gap) = 0;
  /// A record that was received before; `digest` is what the peer says it holds now.
  virtual void duplicate(StreamIndex stream, Sequence seq, std::uint32_t digest) = 0;
  virtual void meta(const Meta& meta) = 0;
};

/// The collector's end of one connection: bytes in, bytes out, no I/O. An error ends the session. Thread: the io thread.
class CollectorSession {
 public:
  struct Options {
    milliseconds silence_limit{6'000};  ///< after HELLO, from when on agents send PINGs
    milliseconds hello_limit{10'000};
    std::uint64_t life = 0;  ///< what WELCOME says of this process
    std::size_t max_series = kMaxSessionSeries;
    std::size_t max_output = 256 << 10;  ///< answers that wait for an agent that does not read
  };

  CollectorSession(Options options, SessionPort& port, MonoTime now);
  CollectorSession(const CollectorSession&) = delete;
  CollectorSession& operator=(const CollectorSession&) = delete;

  Status on_bytes(ByteView bytes, MonoTime now, Time wall);
  Status tick(MonoTime now);
  /// Answers HELLO: one mark per stream.
  void welcome(std::vector<Mark> marks, std::uint64_t credit, Time wall);
  /// Everything of the stream up to `durable` is committed.
  void committed(StreamIndex stream, Sequence durable);
  void set_credit(std::uint64_t limit);
  void nack(StreamIndex stream, Sequence seq);
  void goaway(std::string reason);  ///< cut to 256 bytes

  [[nodiscard]] bool has_output() const { return !out_.empty(); }
  [[nodiscard]] Buffer take_output() { return std::exchange(out_, {}); }
  [[nodiscard]] bool open() const { return open_; }
  [[nodiscard]] const Hello& hello() const { return hello_; }

 private:
  struct Definition {
    std::uint32_t agent_id = 0;
    std::uint32_t ref = 0;  // the port's
  };
  struct Incoming {
    Sequence received;               // the last one taken
    std::vector<Definition> series;  // the dictionary: what samples call 0, 1, 2...
    SampleDecoder decoder;
  };

  Status on_frame(Frame frame, Time wall);
  Status on_series(const Series& series);
  Status on_data(Data data);
  Status on_events(EventFrame events);
  Status on_gap(const GapFrame& frame);
  /// True: take it. False: seen before. Error: a hole.
  Result<bool> in_order(StreamIndex stream, Sequence seq);

  Options options_;
  SessionPort& port_;
  FrameReader reader_{kMaxHelloBytes};
  Buffer out_;
  Hello hello_;
  bool greeted_ = false;
  bool open_ = false;
  std::vector<Incoming> streams_;
  std::size_t defined_ = 0;  // series, in all streams
  MonoTime started_;
  MonoTime heard_;
};

}  // namespace ward::wire
