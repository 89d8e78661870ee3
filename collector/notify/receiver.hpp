#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collector/notify/channel.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// Where messages of one name go.
struct Receiver {
  std::string name;
  std::string_view kind;  ///< name of its ChannelKind
  std::shared_ptr<const Channel> channel;
};

/// Reads a list of `{name, <channel>: {...}}`; the channel is the key beside the name and reads its own settings. A
/// receiver without a channel, with two, or with the name of another is a problem.
std::vector<Receiver> read_receivers(std::vector<config::Section> sections);

}  // namespace ward::collector
