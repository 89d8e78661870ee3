#include "collector/exchange/imported.hpp"

#include <algorithm>

namespace ward::collector::exchange {

Result<std::vector<config::Node>> read_documents(std::span<const InputFile> files) {
  std::vector<config::Node> out;
  std::string wrong;
  for (const auto& file : files) {
    auto documents = config::parse_yaml(file.text, file.name);
    if (!documents) {
      wrong += (wrong.empty() ? "" : "\n") + documents.error().what;
      continue;
    }
    for (auto& document : *documents) {
      if (document.kind() == config::Node::Kind::null) continue;
      const auto& entries = document.entries();
      const auto named = [&](std::string_view key) {
        return std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.first == key; });
      };
      const auto kind = named("kind");
      const auto items = named("items");
      if (kind != entries.end() && kind->second.scalar() == "List" && items != entries.end())
        out.insert(out.end(), items->second.items().begin(), items->second.items().end());
      else
        out.push_back(std::move(document));
    }
  }
  if (!wrong.empty()) return fail(Errc::invalid, std::move(wrong), "Mend the files and import them again.");
  return out;
}

}  // namespace ward::collector::exchange
