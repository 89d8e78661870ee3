// Both ends of a connection against a peer that says anything. First byte even: a collector, odd: an agent; second byte:
// the size of the pieces its bytes arrive in.
#include "tests/fuzz/target.hpp"
#include "tests/unit/common/wire/session_fakes.hpp"

namespace {

using namespace ward;
using namespace ward::wire;

template <class Heard>
void in_pieces(ByteView bytes, std::size_t piece, Heard heard) {
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    if (!heard(bytes.subspan(at, std::min(piece, bytes.size() - at)))) return;
}

void collector(ByteView bytes, std::size_t piece) {
  FakePort port;
  CollectorSession::Options options;
  options.max_series = 8;
  CollectorSession session(options, port, kStart);
  in_pieces(bytes, piece, [&](ByteView part) {
    if (!session.on_bytes(part, kStart, kBase)) return false;
    if (port.greeted && !session.open())
      session.welcome(std::vector<Mark>(port.greeted->streams.size(), Mark{Sequence{1}, 0}), 1'000, kBase);
    for (const auto& taken : port.records)
      for (const auto& sample : taken.record.samples) WARD_ASSERT(sample.id - 100 < port.known.size());
    WARD_ASSERT(port.known.size() <= options.max_series);
    port.records.clear();
    return true;
  });
}

void agent(ByteView bytes, std::size_t piece) {
  FakeSource source;
  source.add(stream("a", 3, 6), {samples(3, {0, 1}), gap_over(4, 4, 2), samples(5, {0})});
  source.add(stream("b", 1, 2, false), {events(1, {{kBase, "oom", {}}})});
  AgentSession session({}, source, kStart);
  in_pieces(bytes, piece, [&](ByteView part) {
    const bool goes_on = session.on_bytes(part, kStart, kBase) && session.tick(kStart + milliseconds{2'500}, kBase);
    (void)frames_in(session.take_output());
    return goes_on;
  });
  // Nothing may be trimmed that was not sent.
  for (const auto& [index, upto] : source.durable) WARD_ASSERT(upto < source.offered[index].next.get());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView bytes{data + 2, size - 2};
  const std::size_t piece = std::size_t{1} + data[1];
  if (data[0] % 2 == 0)
    collector(bytes, piece);
  else
    agent(bytes, piece);
  return 0;
}
