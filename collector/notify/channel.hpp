#pragma once
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/event/incident.hpp"
#include "collector/notify/page.hpp"

namespace ward::collector {

/// One message on its way out.
struct Message {
  Notice notice;
  std::string receiver;
  Time at;           ///< when the notice was made
  std::string page;  ///< page_text()
  PageOptions options;
};

/// What a channel makes of a message; the sender adds address, authorisation and Idempotency-Key.
struct Outgoing {
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  friend bool operator==(const Outgoing&, const Outgoing&) = default;
};

/// A kind of receiver: one file in channel/ and one line in channel/builtin.def.
struct ChannelKind {
  std::string_view name;  ///< the key in the configuration
  std::string_view help;
  Outgoing (*encode)(const Message& message) = nullptr;
};

std::span<const ChannelKind> all_channels();
const ChannelKind* find_channel(std::string_view name);

}  // namespace ward::collector
