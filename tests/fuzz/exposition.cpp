// What an exporter serves. The first byte chooses the format.

#include "common/exposition/descriptions.hpp"
#include "common/exposition/reader.hpp"
#include "tests/fuzz/target.hpp"

using namespace ward;
using namespace ward::exposition;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto format = data[0] == 'o' ? Format::openmetrics : Format::text;
  const auto text = fuzz::text({data + 1, size - 1});
  Limits limits;
  limits.labels = 16;
  Reader reader(text, format, limits);
  Descriptions descriptions(format, {.most = 8, .text_bytes = 16});
  std::size_t entries = 0;
  while (true) {
    const auto entry = reader.next();
    if (!entry) {
      WARD_ASSERT(!entry.error().what.empty());
      const auto after = reader.next();
      WARD_ASSERT(after && !*after);
      break;
    }
    if (!*entry) break;
    WARD_ASSERT(++entries <= reader.line());
    descriptions.add(**entry);
    const auto* const sample = std::get_if<SampleLine>(&**entry);
    if (sample == nullptr) continue;
    WARD_ASSERT(!sample->series.metric.empty());
    WARD_ASSERT(!is_stale(sample->value));
    const auto& labels = sample->series.labels;
    WARD_ASSERT(labels.size() <= limits.labels);
    for (std::size_t i = 1; i < labels.size(); ++i) WARD_ASSERT(labels[i - 1].first < labels[i].first);
  }
  for (const auto& about : descriptions.take()) WARD_ASSERT(about.help.size() <= 16);
  return 0;
}
