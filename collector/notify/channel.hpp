#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "collector/event/incident.hpp"
#include "collector/notify/answer.hpp"
#include "collector/notify/outcome.hpp"
#include "collector/notify/page.hpp"
#include "common/config/node.hpp"
#include "common/http/client.hpp"

namespace ward::collector {

/// One message on its way out.
struct Message {
  Notice notice;
  std::string receiver;
  std::string key;   ///< of the delivery: the same on every attempt, another for every other message
  Time at;           ///< when the notice was made
  Time now;          ///< when this attempt is made
  std::string page;  ///< page_text()
  PageOptions options;
  std::string remembered{};   ///< what this channel kept of this incident for this receiver; "" = nothing
  std::uint32_t attempt = 1;  ///< counts from 1
};

/// What a channel wants next: send this, or be done. To a mail the reply's status is SMTP's.
using Step = std::variant<http::Request, http::Mail, SendOutcome>;

/// The way to one receiver, with its settings: a protocol without I/O. Immutable; thread: any.
class Channel {
 public:
  virtual ~Channel() = default;
  /// What to do in this attempt after `replies` to the requests so far (none at first). Says the same for the same: the
  /// sender asks again after each reply, at most kMaxRequests times, and knows nothing of the protocol. It sets the limits
  /// of time and size of a request and has redirects left unfollowed.
  [[nodiscard]] virtual Step next(const Message& message, std::span<const Reply> replies) const = 0;
  /// How often the last message of an open incident must be said again, for services that forget; 0 = once is enough.
  [[nodiscard]] virtual milliseconds refresh() const { return milliseconds{0}; }

  static constexpr std::size_t kMaxRequests = 64;
};

/// A kind of receiver: one file in channel/ and one line in channel/builtin.def.
struct ChannelKind {
  std::string_view name;  ///< the key in the configuration
  std::string_view help;
  /// Reads the settings strictly, problems into the section's list, and closes it. `whose`: "receiver 'pd-db'".
  std::shared_ptr<const Channel> (*read)(config::Section& from, const std::string& whose) = nullptr;
};

std::span<const ChannelKind> all_channels();
const ChannelKind* find_channel(std::string_view name);

}  // namespace ward::collector
