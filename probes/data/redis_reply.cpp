#include "probes/data/redis_reply.hpp"

#include <hiredis/hiredis.h>

namespace ward::probes::data {
namespace {

/// INFO everything of a busy server has some 60 KiB.
constexpr std::size_t kLargestReply = std::size_t{8} << 20;
/// Of all lists of one answer. LATENCY LATEST has some 20 events of 4.
constexpr std::size_t kMostElements = 100'000;

struct FreeReader {
  void operator()(redisReader* reader) const { redisReaderFree(reader); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

RedisReply copy_of(const redisReply& from) {
  RedisReply to;
  switch (from.type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS: to.kind = RedisReply::Kind::text; break;
    case REDIS_REPLY_ERROR: to.kind = RedisReply::Kind::error; break;
    case REDIS_REPLY_INTEGER: to.kind = RedisReply::Kind::integer; break;
    case REDIS_REPLY_ARRAY: to.kind = RedisReply::Kind::list; break;
    default: break;  // C constants, not an enum class: nil and what is unknown stay nil
  }
  to.integer = from.integer;
  if (from.str != nullptr) to.text.assign(from.str, static_cast<std::size_t>(from.len));
  for (std::size_t i = 0; i < from.elements; ++i) to.items.push_back(copy_of(*from.element[i]));
  return to;
}

tl::unexpected<Error> not_redis() {
  return fail(Errc::corrupt, "The server does not speak the Redis protocol",
              "Check host and port of the target, and whether the port expects TLS.");
}

}  // namespace

struct RedisReplyReader::Impl {
  Impl() {
    functions.createArray = &Impl::create_array;
    reader->fn = &functions;
    reader->privdata = this;
  }
  // hiredis takes memory for as many elements as a list announces: 8 GiB for fourteen bytes.
  static void* create_array(const redisReadTask* task, int elements) {
    auto& self = *static_cast<Impl*>(task->privdata);
    self.announced += static_cast<std::size_t>(elements);
    return self.announced > kMostElements ? nullptr : self.original.createArray(task, elements);
  }

  std::unique_ptr<redisReader, FreeReader> reader{redisReaderCreate()};
  const redisReplyObjectFunctions original = *reader->fn;
  redisReplyObjectFunctions functions = original;
  std::size_t waiting = 0;
  std::size_t announced = 0;
};

RedisReplyReader::RedisReplyReader() : impl_(std::make_unique<Impl>()) {}
RedisReplyReader::~RedisReplyReader() = default;
RedisReplyReader::RedisReplyReader(RedisReplyReader&&) noexcept = default;
RedisReplyReader& RedisReplyReader::operator=(RedisReplyReader&&) noexcept = default;

Status RedisReplyReader::feed(std::string_view bytes) {
  impl_->waiting += bytes.size();
  if (impl_->waiting > kLargestReply)
    return fail(Errc::full, "The server sent more than 8 MiB for one answer", "Check that the target is Redis.");
  if (redisReaderFeed(impl_->reader.get(), bytes.data(), bytes.size()) != REDIS_OK) return not_redis();
  return {};
}

Result<std::optional<RedisReply>> RedisReplyReader::next() {
  void* raw = nullptr;
  if (redisReaderGetReply(impl_->reader.get(), &raw) != REDIS_OK) return not_redis();
  if (raw == nullptr) return std::optional<RedisReply>{};
  const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(raw));
  impl_->waiting = impl_->announced = 0;
  return std::optional<RedisReply>{copy_of(*reply)};
}

std::string redis_request(std::span<const std::vector<std::string>> commands) {
  std::string request;
  for (const auto& command : commands) {
    request += "*" + std::to_string(command.size()) + "\r\n";
    for (const auto& word : command) request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return request;
}

}  // namespace ward::probes::data
