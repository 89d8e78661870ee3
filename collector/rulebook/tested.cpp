#include "collector/rulebook/tested.hpp"

#include "collector/rulebook/pack.hpp"
#include "common/config/node.hpp"

namespace ward::collector {
namespace {

std::string beside(const std::string& file, const std::string& path) {
  const auto slash = file.rfind('/');
  return path.starts_with('/') || slash == std::string::npos ? path : file.substr(0, slash + 1) + path;
}

}  // namespace

std::set<std::string> tested_alerts(const RuleSet& rules, const ReadFile& read) {
  std::set<std::string> out;
  for (const auto& document : rules.others) {
    config::Problems ignored;
    config::Section section(document.node, "", ignored);
    if (document.kind == "Test") {
      if (const auto body = section.raw("spec")) out.merge(alerts_expected(*body));
    } else if (document.kind == "Pack") {
      const auto pack = read_pack(section);
      for (const auto& path : pack.tests) {
        const auto full = beside(pack.file, path);
        const auto text = read(full);
        if (!text) continue;
        if (const auto documents = config::parse_yaml(*text, full); documents && !documents->empty())
          out.merge(alerts_expected(documents->front()));
      }
    }
  }
  return out;
}

}  // namespace ward::collector
