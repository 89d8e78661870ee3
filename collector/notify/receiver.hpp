#pragma once
#include <string>
#include <vector>

#include "common/base/secret.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// Where messages of one name go.
struct Receiver {
  std::string name;
  std::string channel = "webhook";  ///< name of a ChannelKind
  std::string url;
  Secret token;         ///< sent as a bearer token; empty = none
  std::string ca_file;  ///< "" = the system's store
  std::string proxy;    ///< "" = none
  friend bool operator==(const Receiver&, const Receiver&) = default;
};

/// Reads a list of `{name, webhook: {url, token, ca_file, proxy}}`; the channel is the key beside the name. A receiver
/// without a channel, with two, or with the name of another is a problem.
std::vector<Receiver> read_receivers(std::vector<config::Section> sections);

}  // namespace ward::collector
