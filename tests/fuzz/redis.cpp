// Bytes of a Redis server: replies in pieces, and every text of them as an INFO answer.

#include "probes/data/redis_info.hpp"
#include "probes/data/redis_reply.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace ward;
using namespace ward::probes::data;

void read_info(std::string_view text) {
  DropCounts drops;
  ReadingSet out{drops};
  const RedisInfo info{text};
  read_redis_info(info, out);
  (void)persistence_proven(info, from_ms(1'764'000'000'000), milliseconds{60'000});
  (void)out.take();
}

void read_reply(const RedisReply& reply, int depth) {
  WARD_ASSERT(depth < 100);
  if (reply.kind == RedisReply::Kind::text) read_info(reply.text);
  for (const auto& item : reply.items) read_reply(item, depth + 1);
  DropCounts drops;
  ReadingSet out{drops};
  read_redis_latency(reply, out);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto wire = fuzz::text({data + 1, size - 1});
  const std::size_t piece = std::size_t{1} + data[0];
  RedisReplyReader reader;
  for (std::size_t at = 0; at < wire.size(); at += piece) {
    if (!reader.feed(wire.substr(at, piece))) break;
    auto reply = reader.next();
    while (reply && *reply) {
      read_reply(**reply, 0);
      reply = reader.next();
    }
    if (!reply) break;
  }
  read_info(wire);
  return 0;
}
