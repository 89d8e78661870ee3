#include "collector/notify/channel.hpp"

namespace ward::collector {

#define WARD_ENTRY(folder, name) ChannelKind name##_channel();
#include "collector/notify/channel/builtin.def"
#undef WARD_ENTRY

std::span<const ChannelKind> all_channels() {
  static const std::vector<ChannelKind> kKinds{
#define WARD_ENTRY(folder, name) name##_channel(),
#include "collector/notify/channel/builtin.def"
#undef WARD_ENTRY
  };
  return kKinds;
}

const ChannelKind* find_channel(std::string_view name) {
  for (const auto& kind : all_channels())
    if (kind.name == name) return &kind;
  return nullptr;
}

}  // namespace ward::collector
