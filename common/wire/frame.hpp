#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/batch.hpp"
#include "common/model/ids.hpp"
#include "common/wire/bytes.hpp"
#include "common/wire/record.hpp"
#include "common/wire/series.hpp"

/// The frames of docs/format/wire.md. On the wire: u32 length of what follows (little-endian), u8 type, body.
namespace ward::wire {

inline constexpr std::uint32_t kProtocolVersion = 2;
inline constexpr std::size_t kMaxFrameBytes = 1 << 20;
inline constexpr std::size_t kMaxHelloBytes = 4 << 10;  ///< the most a peer may send before it is known
inline constexpr std::size_t kMaxStreams = 32;          ///< in one session
inline constexpr std::size_t kFrameHead = 5;
/// Entries of all dictionaries of one session, which cost its collector some 35 bytes each. Five times the 25,000 series of
/// the largest agent the design has: its live stream, what drains beside it, and labels that change over the days of a
/// session. An agent that needs more begins a new session; the collector refuses more.
inline constexpr std::size_t kMaxSessionSeries = 1 << 17;

/// Number of a stream within one session: its place in HELLO.
using StreamIndex = std::uint32_t;

struct HelloStream {
  TenantId tenant;
  Incarnation incarnation;
  std::uint64_t boot = 0;                 ///< counts the agent's starts, for people
  Sequence base;                          ///< lowest sequence the agent still holds (next when it holds none)
  Sequence next;                          ///< the sequence the next record will get
  std::uint64_t sampled_before_base = 0;  ///< samples of records below base
  bool live = false;                      ///< records still arrive; otherwise it only drains
  friend bool operator==(const HelloStream&, const HelloStream&) = default;
};
struct Hello {
  std::uint32_t version = kProtocolVersion;
  AgentId agent;  ///< must equal the certificate's
  std::string software;
  std::uint64_t config_hash = 0;
  std::vector<HelloStream> streams;
  friend bool operator==(const Hello&, const Hello&) = default;
};

/// What a collector holds of a stream.
struct Mark {
  Sequence durable;             ///< every record up to here is committed, or lies in a stored gap
  std::uint64_t accounted = 0;  ///< samples stored or in gaps up to there
  friend bool operator==(const Mark&, const Mark&) = default;
};
struct Welcome {
  std::vector<Mark> marks;   ///< one per stream of HELLO
  std::uint64_t credit = 0;  ///< bytes of records that may be under way unacknowledged
  Time server_time;
  std::uint64_t life = 0;  ///< names the collector's process: who described its metrics to it need not again; 0 = always
  friend bool operator==(const Welcome&, const Welcome&) = default;
};

/// The next entries of a stream's dictionary in this session; samples name an entry by its place, from 0.
struct Series {
  StreamIndex stream = 0;
  std::vector<SeriesEntry> entries;
  friend bool operator==(const Series&, const Series&) = default;
};

/// A record of samples; `coded` belongs to the session's coder state, and its ids are places in the stream's dictionary.
struct Data {
  StreamIndex stream = 0;
  Sequence seq;
  DataClass data_class = DataClass::raw;
  std::uint32_t count = 0;
  Time base;
  std::uint32_t digest = 0;
  Buffer coded;
  friend bool operator==(const Data&, const Data&) = default;
};
struct EventFrame {
  StreamIndex stream = 0;
  Sequence seq;
  DataClass data_class = DataClass::page;
  Events events;
  friend bool operator==(const EventFrame&, const EventFrame&) = default;
};
struct GapFrame {
  StreamIndex stream = 0;
  Gap gap;
  friend bool operator==(const GapFrame&, const GapFrame&) = default;
};
struct MetaEntry {
  std::string name;
  MetricType type = MetricType::unknown;
  std::string unit;
  std::string help;
  friend bool operator==(const MetaEntry&, const MetaEntry&) = default;
};
struct Meta {
  std::vector<MetaEntry> entries;
  friend bool operator==(const Meta&, const Meta&) = default;
};
struct AckEntry {
  StreamIndex stream = 0;
  Sequence durable;
  friend bool operator==(const AckEntry&, const AckEntry&) = default;
};
struct Ack {
  std::vector<AckEntry> entries;  ///< the bytes of what they acknowledge are free again under the credit limit
  friend bool operator==(const Ack&, const Ack&) = default;
};
struct Nack {
  StreamIndex stream = 0;
  Sequence seq;
  friend bool operator==(const Nack&, const Nack&) = default;
};
/// Replaces the session's credit limit; 0 stops records (disk full), PINGs go on.
struct Credit {
  std::uint64_t limit = 0;
  friend bool operator==(const Credit&, const Credit&) = default;
};
struct Ping {
  std::uint64_t id = 0;
  Time wall;
  friend bool operator==(const Ping&, const Ping&) = default;
};
struct Pong {
  std::uint64_t id = 0;
  Time wall;
  friend bool operator==(const Pong&, const Pong&) = default;
};
struct Goaway {
  std::string reason;
  friend bool operator==(const Goaway&, const Goaway&) = default;
};

using Frame = std::variant<Hello, Welcome, Series, Data, EventFrame, GapFrame, Meta, Ack, Nack, Credit, Ping, Pong, Goaway>;

/// Appends the whole frame, length included.
void write_frame(const Frame& frame, Buffer& out);
/// Reads one body; Errc::corrupt names the frame type that is damaged, Errc::invalid an unknown type.
Result<Frame> parse_frame(std::uint8_t type, ByteView body);

/// Cuts a byte stream into frames. Bounded: refuses a length above the limit before it buffers it.
class FrameReader {
 public:
  explicit FrameReader(std::size_t limit) : limit_(limit) {}
  void set_limit(std::size_t limit) { limit_ = limit; }
  void push(ByteView bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }
  /// The next whole frame; nullopt when more bytes are needed.
  Result<std::optional<Frame>> next();
  /// Bytes of the last frame next() gave, head included.
  [[nodiscard]] std::size_t last_size() const { return last_size_; }

 private:
  std::size_t limit_;
  Buffer buffer_;
  std::size_t at_ = 0;
  std::size_t last_size_ = 0;
};

}  // namespace ward::wire
