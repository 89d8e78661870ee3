// Bodies of remote write requests, from whoever has a token. First byte: which message, and whether it is packed.
#include "common/base/utf8.hpp"
#include "common/model/labels.hpp"
#include "common/remote_write/write_request.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace ward::remote_write;

void check(const WriteRequest& request, const Limits& limits) {
  WARD_ASSERT(request.series.size() <= limits.series && request.samples.size() <= limits.samples);
  WARD_ASSERT(request.metadata.size() <= limits.series);
  WARD_ASSERT(request.refused.empty() == request.first_refused.empty());
  WARD_ASSERT(ward::is_utf8(request.first_refused));
  for (const auto& series : request.series) {
    const auto labels = request.labels_of(series);
    WARD_ASSERT(!labels.empty() && labels.size() <= kMaxLabels);
    std::size_t text = 0;
    bool named = false;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      WARD_ASSERT(!labels[i].name.empty() && !labels[i].value.empty());
      WARD_ASSERT(i == 0 || labels[i - 1].name < labels[i].name);
      WARD_ASSERT(ward::is_utf8(labels[i].name) && ward::is_utf8(labels[i].value));
      named = named || labels[i].name == ward::kNameLabel;
      text += labels[i].name.size() + labels[i].value.size();
    }
    WARD_ASSERT(named && text <= kMaxLabelText);
    WARD_ASSERT(request.samples_of(series).size() == series.samples);
  }
  for (const auto& metadata : request.metadata)
    WARD_ASSERT(metadata.help.size() <= kMaxHelp && metadata.unit.size() <= kMaxUnit && ward::is_utf8(metadata.help));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto message = (data[0] & 1) == 0 ? Message::v1 : Message::v2;
  const auto body = ward::fuzz::text({data + 1, size - 1});
  std::string unpacked(body);
  if ((data[0] & 2) != 0) {
    constexpr std::size_t kMost = 1 << 20;
    auto result = unpack(body, kMost);
    if (!result) return 0;
    WARD_ASSERT(result->size() == claimed_size(body) && result->size() <= kMost);
    unpacked = std::move(*result);
  }
  Limits limits;
  limits.series = 64;
  limits.samples = 256;
  limits.symbols = 256;
  if (const auto request = decode(message, unpacked, limits)) check(*request, limits);
  return 0;
}
