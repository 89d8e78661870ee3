#include "collector/exchange/yaml.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

namespace ward::collector::exchange {
namespace {

constexpr std::size_t kLineWidth = 110;

/// Bare in every place, of block and flow style, and by every reader text that looks so is text or the number it shows.
bool is_safe_bare(std::string_view text) {
  if (text.empty()) return false;
  const auto first = static_cast<unsigned char>(text.front());
  if (std::isalnum(first) == 0 && text.front() != '_' && text.front() != '/' && text.front() != '.') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view{"_./-%+"}.find(c) != std::string_view::npos;
  });
}

/// What YAML readers, those of version 1.1 among them, take for something other than text.
bool looks_special(std::string_view text) {
  static constexpr std::array<std::string_view, 11> kWords{"true", "false", "yes", "no",   "on",  "off",
                                                           "null", "y",     "n",   ".nan", ".inf"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::find(kWords.begin(), kWords.end(), lower) != kWords.end()) return true;
  // Numbers, dates, times in base 60.
  return std::isdigit(static_cast<unsigned char>(text.front())) != 0 || text.front() == '.';
}

std::string quoted(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
  if (plain) {
    std::string out = "'";
    for (const char c : text) {
      if (c == '\'') out += '\'';
      out += c;
    }
    return out + "'";
  }
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (byte < 0x20) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\x%02x", static_cast<unsigned>(byte));
      out += code.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string as_text(std::string_view text) {
  return is_safe_bare(text) && !looks_special(text) ? std::string(text) : quoted(text);
}

}  // namespace

Yaml Yaml::text(std::string_view value) {
  Yaml out;
  out.kind_ = Kind::text;
  out.scalar_ = value;
  return out;
}
Yaml Yaml::bare(std::string_view value) {
  auto out = text(value);
  out.kind_ = Kind::bare;
  return out;
}
Yaml Yaml::map() {
  Yaml out;
  out.kind_ = Kind::map;
  return out;
}
Yaml Yaml::list() {
  Yaml out;
  out.kind_ = Kind::list;
  return out;
}

Yaml Yaml::copy(const config::Node& node) {
  switch (node.kind()) {
    case config::Node::Kind::null: return {};
    case config::Node::Kind::scalar: return node.quoted() ? text(node.scalar()) : bare(node.scalar());
    case config::Node::Kind::sequence: {
      auto out = list();
      for (const auto& item : node.items()) out.add(copy(item));
      return out;
    }
    case config::Node::Kind::mapping: {
      auto out = map();
      for (const auto& [key, value] : node.entries()) out.set(key, copy(value));
      return out;
    }
  }
  return {};
}

Yaml& Yaml::set(std::string key, Yaml value) {
  entries_.emplace_back(std::move(key), std::move(value));
  return *this;
}
Yaml& Yaml::add(Yaml value) {
  items_.push_back(std::move(value));
  return *this;
}
const Yaml* Yaml::find(std::string_view key) const {
  const auto at = std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.first == key; });
  return at == entries_.end() ? nullptr : &at->second;
}

class YamlWriter {
 public:
  std::string document(const Yaml& value) {
    if (is_leaf(value)) return flow(value) + "\n";
    block(value, 0);
    return std::move(out_);
  }

 private:
  using Kind = Yaml::Kind;
  static bool is_leaf(const Yaml& v) {
    return (v.kind_ != Kind::map && v.kind_ != Kind::list) || (v.items_.empty() && v.entries_.empty());
  }

  static std::string flow(const Yaml& v) {
    switch (v.kind_) {
      case Kind::null: return "null";
      case Kind::bare: return is_safe_bare(v.scalar_) ? v.scalar_ : quoted(v.scalar_);
      case Kind::text: return as_text(v.scalar_);
      case Kind::list: {
        std::string out;
        for (const auto& item : v.items_) out += (out.empty() ? "" : ", ") + flow(item);
        return "[" + out + "]";
      }
      case Kind::map: {
        std::string out;
        for (const auto& [key, value] : v.entries_) out += (out.empty() ? "" : ", ") + as_text(key) + ": " + flow(value);
        return "{" + out + "}";
      }
    }
    return "null";
  }

  static std::size_t depth(const Yaml& v) {
    std::size_t deepest = 0;
    for (const auto& item : v.items_) deepest = std::max(deepest, depth(item));
    for (const auto& [key, value] : v.entries_) deepest = std::max(deepest, depth(value));
    return is_leaf(v) ? 0 : deepest + 1;
  }

  /// What stands behind a key or a dash: on its line when it is small, else on lines of its own.
  static bool fits(const Yaml& v, std::size_t used) {
    return is_leaf(v) || (depth(v) <= 4 && used + flow(v).size() <= kLineWidth);
  }

  void block(const Yaml& v, std::size_t indent) {
    const std::string space(indent, ' ');
    for (const auto& [key, value] : v.entries_) {
      out_ += space + as_text(key) + ":";
      behind(value, indent, space.size() + key.size() + 2);
    }
    for (const auto& item : v.items_) {
      if (fits(item, space.size() + 2)) {
        out_ += space + "- " + flow(item) + "\n";
        continue;
      }
      const auto at = out_.size();
      block(item, indent + 2);
      out_[at + indent] = '-';  // over the first line's indentation
    }
  }

  void behind(const Yaml& value, std::size_t indent, std::size_t used) {
    // A map of one document is easier to read and to change in lines; its leaves are short.
    if (fits(value, used) && (indent > 0 || is_leaf(value))) {
      out_ += " " + flow(value) + "\n";
      return;
    }
    out_ += "\n";
    block(value, indent + 2);
  }

  std::string out_;
};

std::string write(const Yaml& document) { return YamlWriter{}.document(document); }

std::string write(const std::vector<Yaml>& documents) {
  std::string out;
  for (const auto& document : documents) out += (out.empty() ? "" : "---\n") + write(document);
  return out;
}

}  // namespace ward::collector::exchange
