#include <algorithm>
#include <cmath>

#include "common/base/duration.hpp"
#include "common/base/parse.hpp"
#include "common/config/node.hpp"
#include "common/config/secret_source.hpp"
#include "common/config/suggest.hpp"

namespace ward::config {
namespace {

std::string_view name_of(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null: return "empty";
    case Node::Kind::scalar: return "a single value";
    case Node::Kind::sequence: return "a list";
    case Node::Kind::mapping: return "a mapping";
  }
  return "";
}

std::string quote(std::string_view text) {
  constexpr std::size_t kShown = 80;
  return "'" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "..." : "") + "'";
}

/// "010" is 8 to some readers and 10 to others.
bool has_leading_zero(std::string_view digits) {
  if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
  return digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9';
}

std::string joined(const std::vector<std::string>& names, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? std::string(last) : ", ";
    out += names[i];
  }
  return out;
}

/// Relative secret paths count from the file that names them, so that a configuration folder can be moved.
std::string beside(const std::string& file, const std::string& path) {
  const auto slash = file.rfind('/');
  return path.starts_with('/') || slash == std::string::npos ? path : file.substr(0, slash + 1) + path;
}

struct Wanted {
  std::string_view what;  ///< "a whole number"
  std::string_view fix;
};

/// The scalar of `node`, or nullptr and a problem.
const std::string* scalar_of(const Node& node, std::string_view key, const Wanted& wanted, Problems& problems) {
  if (node.kind() == Node::Kind::scalar) return &node.scalar();
  if (node.kind() == Node::Kind::null)
    problems.add(node.at(), quote(key) + " has no value", "Give it " + std::string(wanted.what) + " or remove the key.");
  else
    problems.add(node.at(),
                 quote(key) + " must be " + std::string(wanted.what) + ", not " + std::string(name_of(node.kind())),
                 std::string(wanted.fix));
  return nullptr;
}

constexpr Wanted kText{"text", "Write one value."};
constexpr Wanted kWhole{"a whole number", "Write it like 10."};
constexpr Wanted kReal{"a number", "Write it like 0.5."};
constexpr Wanted kFlag{"true or false", "Write true or false."};
constexpr Wanted kDuration{"a duration", "Write it like 15s, 500ms, 1h30m or 2w."};
constexpr Wanted kSize{"a size", "Write it like 64KiB, 512MiB or 1GiB."};

/// A number's digits, or nullptr and a problem: quoted text and leading zeros are no numbers.
const std::string* digits_of(const Node& node, std::string_view key, const Wanted& wanted, Problems& problems) {
  const auto* text = scalar_of(node, key, wanted, problems);
  if (text == nullptr) return nullptr;
  if (node.quoted()) {
    problems.add(node.at(),
                 quote(key) + " must be " + std::string(wanted.what) + ", but " + quote(*text) + " is quoted text",
                 "Remove the quotes.");
    return nullptr;
  }
  if (has_leading_zero(*text)) {
    problems.add(node.at(), quote(key) + " is " + quote(*text) + ": a leading zero may mean octal", "Remove the zero.");
    return nullptr;
  }
  return text;
}

}  // namespace

Section::Section(Node node, std::string path, Problems& problems)
    : node_(std::move(node)), at_(node_.at()), path_(std::move(path)), problems_(&problems) {
  if (node_.kind() == Node::Kind::scalar || node_.kind() == Node::Kind::sequence)
    problems.add(
        node_.at(),
        (path_.empty() ? "the document" : quote(path_)) + " must be a mapping, not " + std::string(name_of(node_.kind())),
        "Write it as 'key: value' lines.");
}

const Node* Section::find(std::string_view key) const {
  for (const auto& [name, value] : node_.entries())
    if (name == key) return &value;
  return nullptr;
}

const Node* Section::take(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  return find(key);
}

bool Section::has(std::string_view key) const { return find(key) != nullptr; }
Position Section::at() const { return at_; }
Position Section::at(std::string_view key) const {
  const auto* node = find(key);
  return node == nullptr ? at_ : node->at();
}

std::string Section::text(std::string_view key) {
  const auto* node = take(key);
  if (node == nullptr) {
    // What is no mapping at all has been told already.
    if (node_.kind() == Node::Kind::mapping || node_.kind() == Node::Kind::null)
      problems_->add(at(), "the key " + quote(key) + " is missing" + (path_.empty() ? "" : " in " + quote(path_)),
                     "Add it.");
    return {};
  }
  const auto* value = scalar_of(*node, key, kText, *problems_);
  if (value != nullptr && value->empty()) problems_->add(node->at(), quote(key) + " must not be empty", "Write its text.");
  return value == nullptr ? std::string{} : *value;
}

std::string Section::text(std::string_view key, std::string fallback) {
  const auto* node = take(key);
  const auto* value = node == nullptr ? nullptr : scalar_of(*node, key, kText, *problems_);
  return value == nullptr ? std::move(fallback) : *value;
}

bool Section::flag(std::string_view key, bool fallback) {
  const auto* node = take(key);
  const auto* value = node == nullptr ? nullptr : scalar_of(*node, key, kFlag, *problems_);
  if (value == nullptr) return fallback;
  if (!node->quoted() && *value == "true") return true;
  if (!node->quoted() && *value == "false") return false;
  problems_->add(node->at(), quote(key) + " must be true or false, but is " + quote(*value),
                 node->quoted() ? "Write true or false without quotes." : "Write true or false.");
  return fallback;
}

std::uint64_t Section::whole(std::string_view key, std::uint64_t fallback, std::uint64_t min, std::uint64_t max) {
  const auto* node = take(key);
  const auto* text = node == nullptr ? nullptr : digits_of(*node, key, kWhole, *problems_);
  if (text == nullptr) return fallback;
  const auto value = to_u64(*text);
  if (!value) {
    problems_->add(node->at(), quote(key) + " must be a whole number, but is " + quote(*text), std::string(kWhole.fix));
    return fallback;
  }
  if (*value < min || *value > max) {
    const auto range = std::to_string(min) + " to " + std::to_string(max);
    problems_->add(node->at(), quote(key) + " is " + *text + ", outside " + range, "Choose a number from " + range + ".");
    return fallback;
  }
  return *value;
}

double Section::real(std::string_view key, double fallback) {
  const auto* node = take(key);
  const auto* text = node == nullptr ? nullptr : digits_of(*node, key, kReal, *problems_);
  if (text == nullptr) return fallback;
  const auto value = to_double(*text);
  if (value && std::isfinite(*value)) return *value;
  problems_->add(node->at(), quote(key) + " must be a number, but is " + quote(*text), std::string(kReal.fix));
  return fallback;
}

milliseconds Section::duration(std::string_view key, milliseconds fallback, milliseconds min) {
  const auto* node = take(key);
  const auto* text = node == nullptr ? nullptr : scalar_of(*node, key, kDuration, *problems_);
  if (text == nullptr) return fallback;
  const auto value = parse_duration(*text);
  if (!value) {
    problems_->add(node->at(), quote(key) + " must be a duration, but is " + quote(*text), value.error().fix);
    return fallback;
  }
  if (*value < min) {
    problems_->add(node->at(), quote(key) + " is " + *text + ", shorter than " + format_duration(min),
                   "Set it to " + format_duration(min) + " or more.");
    return fallback;
  }
  return *value;
}

std::uint64_t Section::size(std::string_view key, std::uint64_t fallback) {
  const auto* node = take(key);
  const auto* text = node == nullptr ? nullptr : scalar_of(*node, key, kSize, *problems_);
  if (text == nullptr) return fallback;
  const auto value = parse_size(*text);
  if (value && !has_leading_zero(*text)) return *value;
  problems_->add(node->at(), quote(key) + " must be a size, but is " + quote(*text), std::string(kSize.fix));
  return fallback;
}

Secret Section::secret(std::string_view key) {
  const auto* node = take(key);
  if (node == nullptr) return {};
  const auto refuse = [&](std::string what, std::string fix) {
    problems_->add(node->at(), std::move(what), std::move(fix));
    return Secret{};
  };
  // Whatever stands here may be the secret itself: no message quotes it.
  const bool one_source = node->kind() == Node::Kind::mapping && node->entries().size() == 1;
  if (!one_source)
    return refuse(quote(key) + " must name where the secret is, not hold it",
                  "Put it into a file and write {file: PATH}, or {env: NAME}.");
  const auto& [source, value] = node->entries().front();
  if ((source != "file" && source != "env") || value.kind() != Node::Kind::scalar || value.scalar().empty())
    return refuse(quote(key) + " must be {file: PATH} or {env: NAME}", "Write one of the two.");
  auto secret =
      source == "file" ? secret_from_file(beside(node->at().file, value.scalar())) : secret_from_environment(value.scalar());
  if (!secret) return refuse(quote(key) + ": " + secret.error().what, secret.error().fix);
  return std::move(*secret);
}

std::vector<std::string> Section::texts(std::string_view key) {
  std::vector<std::string> out;
  const auto* node = take(key);
  if (node == nullptr || node->kind() == Node::Kind::null) return out;
  if (node->kind() != Node::Kind::sequence) {
    problems_->add(node->at(), quote(key) + " must be a list, not " + std::string(name_of(node->kind())),
                   "Write it as [a, b] or as '- a' lines.");
    return out;
  }
  for (std::size_t i = 0; i < node->items().size(); ++i) {
    const auto name = std::string(key) + "[" + std::to_string(i) + "]";
    if (const auto* text = scalar_of(node->items()[i], name, kText, *problems_)) out.push_back(*text);
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> Section::text_map(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto* node = take(key);
  if (node == nullptr || node->kind() == Node::Kind::null) return out;
  if (node->kind() != Node::Kind::mapping) {
    problems_->add(node->at(), quote(key) + " must be a mapping, not " + std::string(name_of(node->kind())),
                   "Write it as 'key: value' lines.");
    return out;
  }
  for (const auto& [name, value] : node->entries())
    if (const auto* text = scalar_of(value, std::string(key) + "." + name, kText, *problems_)) out.emplace_back(name, *text);
  return out;
}

Section Section::child(std::string_view key) {
  const auto* node = take(key);
  const auto child_path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  Section child{node == nullptr ? Node{} : *node, child_path, *problems_};
  if (node == nullptr) child.at_ = at_;
  return child;
}

std::vector<Section> Section::children(std::string_view key) {
  std::vector<Section> out;
  const auto* node = take(key);
  if (node == nullptr || node->kind() == Node::Kind::null) return out;
  const auto list_path = path_.empty() ? std::string(key) : path_ + "." + std::string(key);
  if (node->kind() != Node::Kind::sequence) {
    problems_->add(node->at(), quote(list_path) + " must be a list, not " + std::string(name_of(node->kind())),
                   "Start each entry with '- '.");
    return out;
  }
  for (std::size_t i = 0; i < node->items().size(); ++i)
    out.emplace_back(node->items()[i], list_path + "[" + std::to_string(i) + "]", *problems_);
  return out;
}

std::vector<std::pair<std::string, Section>> Section::named_children(std::string_view key) {
  std::vector<std::pair<std::string, Section>> out;
  const Section parent = child(key);
  for (const auto& [name, value] : parent.node_.entries())
    out.emplace_back(name, Section{value, parent.path_ + "." + name, *problems_});
  return out;
}

std::optional<Node> Section::raw(std::string_view key) {
  const auto* node = take(key);
  return node == nullptr ? std::nullopt : std::optional<Node>{*node};
}

std::size_t Section::choice(std::string_view key, std::initializer_list<std::string_view> names, std::size_t fallback) {
  const auto* node = take(key);
  const auto* text = node == nullptr ? nullptr : scalar_of(*node, key, kText, *problems_);
  if (text == nullptr) return fallback;
  const auto match = std::find(names.begin(), names.end(), *text);
  if (match != names.end()) return static_cast<std::size_t>(match - names.begin());
  const std::vector<std::string> all(names.begin(), names.end());
  problems_->add(node->at(), quote(key) + " is " + quote(*text), "Choose " + joined(all, " or ") + ".");
  return fallback;
}

void Section::close() {
  for (const auto& [name, value] : node_.entries()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const auto near = closest(name, known_);
    problems_->add(node_.key_at(name),
                   "unknown key " + quote(name) + (path_.empty() ? "" : " in " + quote(path_)) +
                       (near ? "; did you mean '" + *near + "'?" : ""),
                   near ? "Correct or remove it." : "Remove it; the keys here are " + joined(known_, " and ") + ".");
  }
}

}  // namespace ward::config
