// Answers of a DNS server, and the same bytes as a name to ask for.
#include "probes/net/dns_message.hpp"
#include "tests/fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ward::probes::dns;
  if (const auto reply = parse_reply({data, size})) {
    for (const auto& record : reply->answers) WARD_ASSERT(record.name.size() <= 1'024);
  } else {
    WARD_ASSERT(!reply.error().what.empty());
  }
  // What may be asked can be read back.
  if (const auto query = encode_query(7, ward::fuzz::text({data, size}), Type::aaaa)) {
    const auto back = parse_reply(*query);
    WARD_ASSERT(back && back->id == 7 && back->question_type == 28);
  }
  return 0;
}
