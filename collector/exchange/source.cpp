#include "collector/exchange/source.hpp"

#include <algorithm>
#include <utility>

namespace ward::collector::exchange {

using config::Node;

Source::Source(Node node, std::string whose, Notes& notes)
    : node_(std::move(node)), whose_(std::move(whose)), notes_(&notes) {
  if (node_.kind() == Node::Kind::mapping || node_.kind() == Node::Kind::null) return;
  notes.lost(node_.at(), whose_, "it is no mapping of keys to values", "mend the file and import it again");
  node_ = Node{};
}

const Node* Source::take(std::string_view key) {
  asked_.emplace_back(key);
  for (const auto& [name, value] : node_.entries())
    if (name == key) return value.kind() == Node::Kind::null ? nullptr : &value;
  return nullptr;
}

bool Source::has(std::string_view key) const {
  return std::any_of(node_.entries().begin(), node_.entries().end(),
                     [&](const auto& e) { return e.first == key && e.second.kind() != Node::Kind::null; });
}

config::Position Source::at(std::string_view key) const {
  for (const auto& [name, value] : node_.entries())
    if (name == key) return node_.key_at(key);
  return node_.at();
}

void Source::odd(std::string_view key, std::string_view wanted) {
  notes_->lost(at(key), "'" + std::string(key) + "' of " + whose_, std::string(wanted) + " should stand here",
               "mend the file and import it again");
}

std::string Source::text(std::string_view key) {
  const auto* node = take(key);
  if (node == nullptr) return {};
  if (node->kind() == Node::Kind::scalar) return node->scalar();
  odd(key, "text");
  return {};
}

std::optional<bool> Source::flag(std::string_view key) {
  const auto* node = take(key);
  if (node == nullptr) return std::nullopt;
  if (node->kind() == Node::Kind::scalar && node->scalar() == "true") return true;
  if (node->kind() == Node::Kind::scalar && node->scalar() == "false") return false;
  odd(key, "true or false");
  return std::nullopt;
}

Source Source::child(std::string_view key, std::string whose) {
  const auto* node = take(key);
  return {node == nullptr ? Node{} : *node, std::move(whose), *notes_};
}

std::vector<Node> Source::items(std::string_view key) {
  const auto* node = take(key);
  if (node == nullptr) return {};
  if (node->kind() == Node::Kind::sequence) return node->items();
  if (node->kind() == Node::Kind::scalar) return {*node};
  odd(key, "a list");
  return {};
}

std::vector<std::string> Source::texts(std::string_view key) {
  std::vector<std::string> out;
  for (const auto& item : items(key)) {
    if (item.kind() == Node::Kind::scalar)
      out.push_back(item.scalar());
    else
      odd(key, "a list of texts");
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> Source::text_map(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto* node = take(key);
  if (node == nullptr) return out;
  if (node->kind() != Node::Kind::mapping) {
    odd(key, "a mapping of names to texts");
    return out;
  }
  for (const auto& [name, value] : node->entries()) {
    if (value.kind() == Node::Kind::scalar)
      out.emplace_back(name, value.scalar());
    else
      odd(key, "a mapping of names to texts");
  }
  return out;
}

std::optional<Node> Source::raw(std::string_view key) {
  const auto* node = take(key);
  return node == nullptr ? std::nullopt : std::optional{*node};
}

void Source::drop(std::initializer_list<std::string_view> keys, std::string_view because, std::string_view todo) {
  for (const auto key : keys)
    if (take(key) != nullptr)
      notes_->lost(at(key), "'" + std::string(key) + "' of " + whose_, std::string(because), std::string(todo));
}

void Source::close() {
  for (const auto& [name, value] : node_.entries()) {
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    notes_->lost(node_.key_at(name), "'" + name + "' of " + whose_, "wardctl does not know this key",
                 "see whether you need what it does, and write it in Ward's terms");
  }
}

}  // namespace ward::collector::exchange
