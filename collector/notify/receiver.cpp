#include "collector/notify/receiver.hpp"

#include <algorithm>

namespace ward::collector {

std::vector<Receiver> read_receivers(std::vector<config::Section> sections) {
  std::vector<Receiver> out;
  for (auto& from : sections) {
    Receiver receiver{.name = from.text("name"), .kind = "", .channel = nullptr};
    const auto whose = "receiver '" + receiver.name + "'";
    std::string names;
    for (const auto& kind : all_channels()) {
      names += (names.empty() ? "" : ", ") + std::string(kind.name);
      if (!from.has(kind.name)) continue;
      if (!receiver.kind.empty())
        from.problems().add(from.at(kind.name), whose + " has two channels",
                            "Make two receivers of it, each with one channel.");
      auto settings = from.child(kind.name);
      receiver.kind = kind.name;
      receiver.channel = kind.read(settings, whose);
    }
    if (receiver.kind.empty()) from.problems().add(from.at(), whose + " has no channel", "Add one of: " + names + ".");
    if (std::any_of(out.begin(), out.end(), [&](const Receiver& r) { return r.name == receiver.name; }))
      from.problems().add(from.at("name"), "the receiver name '" + receiver.name + "' is taken",
                          "Give each receiver its own name.");
    from.close();
    out.push_back(std::move(receiver));
  }
  return out;
}

}  // namespace ward::collector
