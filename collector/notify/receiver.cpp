#include "collector/notify/receiver.hpp"

#include <algorithm>

#include "collector/notify/channel.hpp"

namespace ward::collector {
namespace {

void read_channel(config::Section& from, const ChannelKind& kind, Receiver& receiver) {
  auto channel = from.child(kind.name);
  receiver.channel = kind.name;
  receiver.url = channel.text("url");
  receiver.token = channel.secret("token");
  receiver.ca_file = channel.text("ca_file", "");
  receiver.proxy = channel.text("proxy", "");
  if (!receiver.url.empty() && !receiver.url.starts_with("https://") && !receiver.url.starts_with("http://"))
    channel.problems().add(channel.at("url"), "receiver '" + receiver.name + "' has no http or https URL",
                           "Write the whole address, for example https://alerts.example/hook.");
  if (!receiver.token.empty() && receiver.url.starts_with("http://"))
    channel.problems().add(channel.at("url"), "the token of receiver '" + receiver.name + "' would go out unencrypted",
                           "Use https.");
  channel.close();
}

}  // namespace

std::vector<Receiver> read_receivers(std::vector<config::Section> sections) {
  std::vector<Receiver> out;
  for (auto& from : sections) {
    Receiver receiver{.name = from.text("name"), .channel = "", .url = "", .token = Secret{}, .ca_file = "", .proxy = ""};
    std::string names;
    for (const auto& kind : all_channels()) {
      names += (names.empty() ? "" : ", ") + std::string(kind.name);
      if (!from.has(kind.name)) continue;
      if (!receiver.channel.empty())
        from.problems().add(from.at(kind.name), "receiver '" + receiver.name + "' has two channels",
                            "Make two receivers of it, each with one channel.");
      read_channel(from, kind, receiver);
    }
    if (receiver.channel.empty())
      from.problems().add(from.at(), "receiver '" + receiver.name + "' has no channel", "Add one of: " + names + ".");
    if (std::any_of(out.begin(), out.end(), [&](const Receiver& r) { return r.name == receiver.name; }))
      from.problems().add(from.at("name"), "the receiver name '" + receiver.name + "' is taken",
                          "Give each receiver its own name.");
    from.close();
    out.push_back(std::move(receiver));
  }
  return out;
}

}  // namespace ward::collector
