#include "common/model/labels.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace ward {
namespace {

bool by_name(const Label& a, std::string_view name) { return a.first < name; }

void normalise(std::vector<Label>& labels) {
  std::stable_sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.first < b.first; });
  // Of equal names the last one wins: walk from the back and keep the first seen.
  const auto kept =
      std::unique(labels.rbegin(), labels.rend(), [](const Label& a, const Label& b) { return a.first == b.first; });
  labels.erase(labels.begin(), kept.base());
  std::erase_if(labels, [](const Label& l) { return l.second.empty(); });
}

void escape_into(std::string& out, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '"': out += "\\\""; break;
      case '\n': out += "\\n"; break;
      default: out += c;
    }
  }
}

}  // namespace

Labels::Labels(std::initializer_list<Label> labels) : labels_(labels) { normalise(labels_); }
Labels::Labels(std::vector<Label> labels) : labels_(std::move(labels)) { normalise(labels_); }

std::string_view Labels::get(std::string_view name) const {
  const auto it = std::lower_bound(labels_.begin(), labels_.end(), name, by_name);
  return it != labels_.end() && it->first == name ? std::string_view{it->second} : std::string_view{};
}

void Labels::set(std::string_view name, std::string_view value) {
  if (value.empty()) return erase(name);
  const auto it = std::lower_bound(labels_.begin(), labels_.end(), name, by_name);
  if (it != labels_.end() && it->first == name)
    it->second = value;
  else
    labels_.emplace(it, std::string(name), std::string(value));
}

void Labels::erase(std::string_view name) {
  const auto it = std::lower_bound(labels_.begin(), labels_.end(), name, by_name);
  if (it != labels_.end() && it->first == name) labels_.erase(it);
}

Labels Labels::with(std::string_view name, std::string_view value) const {
  Labels copy = *this;
  copy.set(name, value);
  return copy;
}

Labels Labels::without(std::string_view name) const {
  Labels copy = *this;
  copy.erase(name);
  return copy;
}

std::uint64_t Labels::hash() const {
  std::uint64_t h = 14695981039346656037ULL;
  const auto mix = [&h](std::string_view text) {
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    h = (h ^ 0xff) * 1099511628211ULL;  // a byte no UTF-8 text holds, so that "ab"+"c" differs from "a"+"bc"
  };
  for (const auto& [name, value] : labels_) {
    mix(name);
    mix(value);
  }
  return h;
}

std::string to_string(const Labels& labels) {
  std::string out{labels.name()};
  bool first = true;
  for (const auto& [name, value] : labels) {
    if (name == kNameLabel) continue;
    out += first ? "{" : ", ";
    first = false;
    out += name;
    out += "=\"";
    escape_into(out, value);
    out += '"';
  }
  if (!first) out += '}';
  if (out.empty()) out = "{}";
  return out;
}

std::string fingerprint(const Labels& labels) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(labels.hash()));
  return {text.data(), 16};
}

}  // namespace ward
