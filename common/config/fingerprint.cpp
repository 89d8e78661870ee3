#include <filesystem>
#include <functional>
#include <string_view>

#include "common/config/node.hpp"
#include "common/config/secret_source.hpp"

namespace ward::config {
namespace {

class Digest {
 public:
  void add(std::uint64_t value) { state_ = (state_ ^ value) * 0x9e3779b97f4a7c15ULL + (state_ >> 29); }
  void add(std::string_view text) { add(static_cast<std::uint64_t>(std::hash<std::string_view>{}(text))); }
  [[nodiscard]] std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

/// A certificate replaced in place changes what a target does, though not the text that names it.
void add_file(Digest& digest, const std::string& path) {
  if (!path.starts_with('/')) return;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;
  const auto changed = std::filesystem::last_write_time(path, error);
  if (!error) digest.add(static_cast<std::uint64_t>(changed.time_since_epoch().count()));
}

void add_secret(Digest& digest, const Node& node) {
  if (node.entries().size() != 1) return;
  const auto& [source, value] = node.entries().front();
  if (value.kind() != Node::Kind::scalar || (source != "file" && source != "env")) return;
  const auto folder = std::filesystem::path(value.at().file).parent_path();
  const auto secret =
      source == "env" ? secret_from_environment(value.scalar()) : secret_from_file((folder / value.scalar()).string());
  if (secret) digest.add(std::string_view(secret->reveal()));
}

void add(Digest& digest, const Node& node) {
  digest.add(static_cast<std::uint64_t>(node.kind()));
  switch (node.kind()) {
    case Node::Kind::null: return;
    case Node::Kind::scalar:
      digest.add(std::string_view(node.scalar()));
      digest.add(node.quoted() ? 1U : 0U);
      return add_file(digest, node.scalar());
    case Node::Kind::sequence:
      digest.add(node.items().size());
      for (const auto& item : node.items()) add(digest, item);
      return;
    case Node::Kind::mapping:
      digest.add(node.entries().size());
      for (const auto& [key, value] : node.entries()) {
        digest.add(std::string_view(key));
        add(digest, value);
      }
      return add_secret(digest, node);
  }
}

}  // namespace

std::uint64_t Section::fingerprint() const {
  Digest digest;
  add(digest, node_);
  return digest.value();
}

}  // namespace ward::config
