#include "collector/forward/options.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace ward::collector {
namespace {

constexpr std::size_t kMaxName = 64;  // it is a label of metrics

bool is_good_name(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kMaxName && std::all_of(name.begin(), name.end(), good);
}

bool is_token(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

/// Those that the sender itself writes.
bool is_reserved(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 8> kReserved{"authorization",
                                                      "host",
                                                      "content-encoding",
                                                      "content-length",
                                                      "content-type",
                                                      "user-agent",
                                                      "x-prometheus-remote-write-version",
                                                      "connection"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

void read_headers(config::Section& section, ForwardTarget& out) {
  if (!section.has("headers")) return;
  out.headers = section.text_map("headers");
  for (const auto& [name, value] : out.headers) {
    if (!is_token(name) || value.find_first_of("\r\n") != std::string::npos)
      section.problems().add(section.at("headers"), "'" + name + "' is no HTTP header of one line", "Correct or remove it.");
    else if (is_reserved(name))
      section.problems().add(section.at("headers"), "the header '" + name + "' is written by the sender itself",
                             "Remove it; for Authorization use basic_auth, authorization or bearer_token.");
  }
}

void read_authorization(config::Section& section, ForwardTarget& out) {
  out.credentials = http::read_credentials(section);
  if (section.has("authorization")) {
    auto authorization = section.child("authorization");
    out.authorization_type = authorization.text("type", "Bearer");
    out.authorization_credentials = authorization.secret("credentials");
    authorization.close();
    if (!out.credentials.bearer_token.empty() || !out.credentials.username.empty())
      section.problems().add(section.at("authorization"), "'authorization' stands beside another way to authorize",
                             "Keep the one the receiver asks for.");
  }
  const bool secret =
      !out.credentials.bearer_token.empty() || !out.credentials.password.empty() || !out.authorization_credentials.empty();
  if (secret && out.url.starts_with("http://") && !out.url.starts_with("http://127.0.0.1") &&
      !out.url.starts_with("http://localhost") && !out.url.starts_with("http://[::1]"))
    section.problems().add(section.at("url"), "the credentials of remote write '" + out.name + "' would go out unencrypted",
                           "Use https.");
}

void read_queue(config::Section section, ForwardTarget::Queue& out) {
  constexpr std::uint64_t kLeastSize = 1 << 20;
  out.max_size = section.size("max_size", out.max_size);
  if (out.max_size < kLeastSize)
    section.problems().add(section.at("max_size"), "a queue of less than 1MiB holds no outage",
                           "Give it what the longest outage brings, such as 1GiB.");
  out.max_age = section.duration("max_age", out.max_age);
  out.shards = section.whole("shards", out.shards, 1, 64);
  out.max_samples_per_send = section.whole("max_samples_per_send", out.max_samples_per_send, 1, 100'000);
  out.batch_send_deadline = section.duration("batch_send_deadline", out.batch_send_deadline, milliseconds{1});
  out.min_backoff = section.duration("min_backoff", out.min_backoff, milliseconds{1});
  out.max_backoff = section.duration("max_backoff", out.max_backoff, out.min_backoff);
  section.close();
}

ForwardTarget read_target(config::Section& section) {
  ForwardTarget out;
  out.name = section.text("name");
  if (!out.name.empty() && !is_good_name(out.name))
    section.problems().add(section.at("name"), "'" + out.name + "' is no name for a target of remote write",
                           "Use letters, digits, '.', '-' and '_', at most 64.");
  out.url = section.text("url");
  if (!out.url.empty() && !out.url.starts_with("https://") && !out.url.starts_with("http://"))
    section.problems().add(section.at("url"), "remote write '" + out.name + "' has no http or https URL",
                           "Write the whole address, for example https://mimir.example/api/v1/push.");
  out.remote_timeout = section.duration("remote_timeout", out.remote_timeout, milliseconds{1});
  read_headers(section, out);
  out.write_relabel = read_relabelling(section, "write_relabel_configs");
  read_authorization(section, out);
  out.tls = http::read_client_tls(section);
  out.proxy = section.text("proxy", "");
  out.message = section.choice("protocol", {"1.0", "2.0"}, 0) == 0 ? remote_write::Message::v1 : remote_write::Message::v2;
  out.metadata = section.flag("metadata", out.metadata);
  read_queue(section.child("queue"), out.queue);
  section.close();
  return out;
}

}  // namespace

std::vector<ForwardTarget> read_forward_targets(config::Section& root, std::string_view key) {
  std::vector<ForwardTarget> out;
  for (auto& section : root.children(key)) {
    auto target = read_target(section);
    if (std::any_of(out.begin(), out.end(), [&](const ForwardTarget& other) { return other.name == target.name; }))
      section.problems().add(section.at("name"), "the name '" + target.name + "' is taken by another target",
                             "Give each its own name.");
    out.push_back(std::move(target));
  }
  return out;
}

}  // namespace ward::collector
