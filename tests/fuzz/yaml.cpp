// The strict YAML reader and the typed reading of its sections.
#include <string>

#include "common/config/node.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace ward::config;

/// Visits every value; the depth stays below what the reader promises.
void walk(const Node& node, int depth) {
  WARD_ASSERT(depth < 100 && node.at().line >= 0);
  for (const auto& item : node.items()) walk(item, depth + 1);
  for (const auto& [key, value] : node.entries()) {
    (void)node.key_at(key);
    walk(value, depth + 1);
  }
}

void read_as_section(const Node& node) {
  Problems problems;
  Section section(node, "", problems);
  for (const auto& [key, value] : node.entries()) {
    (void)section.text(key, "");
    (void)section.flag(key, false);
    (void)section.whole(key, 1);
    (void)section.real(key, 1);
    (void)section.duration(key, ward::milliseconds{1});
    (void)section.size(key, 1);
    (void)section.texts(key);
    (void)section.text_map(key);
    (void)section.choice(key, {"one", "two"}, 0);
    (void)section.child(key);
    (void)section.children(key);
    (void)section.named_children(key);
  }
  section.close();
  WARD_ASSERT(problems.empty() == problems.to_text().empty());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto documents = parse_yaml(ward::fuzz::text({data, size}), "fuzz.yaml");
  if (!documents) {
    WARD_ASSERT(documents.error().what.starts_with("fuzz.yaml:"));
    return 0;
  }
  WARD_ASSERT(!documents->empty());
  for (const auto& document : *documents) {
    walk(document, 0);
    if (document.kind() == Node::Kind::mapping) read_as_section(document);
  }
  return 0;
}
