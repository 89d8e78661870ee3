// The adapter of yaml-cpp: the only file that sees it. Its event interface is used, because its Node interface has
// already merged duplicate keys and resolved aliases by the time one could look.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <istream>
#include <set>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "common/base/utf8.hpp"
#include "common/config/tree.hpp"

namespace ward::config {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxDepth = 32;
/// Past this many problems a file is not a slip but the wrong file.
constexpr std::size_t kMaxProblems = 50;
constexpr auto kAlias = "aliases (*name) are not allowed";
constexpr auto kWriteOut = "Write the value out where it is used.";

/// Leaves yaml-cpp's recursion; the problem is already noted.
struct Stop {};

/// Turns yaml-cpp's marks (bytes, from 0) into positions (characters, from 1).
class Source {
 public:
  Source(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  [[nodiscard]] Position at(const YAML::Mark& mark) const {
    if (mark.is_null()) return Position{file_, 1, 1};
    const auto pos = std::min(static_cast<std::size_t>(mark.pos), text_.size());
    const auto column = std::min(static_cast<std::size_t>(mark.column), pos);
    int characters = 0;
    for (const char c : text_.substr(pos - column, column)) characters += is_continuation(c) ? 0 : 1;
    return Position{file_, mark.line + 1, characters + 1};
  }
  /// The byte under a mark; 0 past the end.
  [[nodiscard]] char byte(const YAML::Mark& mark) const {
    if (mark.is_null() || static_cast<std::size_t>(mark.pos) >= text_.size()) return '\0';
    return text_[static_cast<std::size_t>(mark.pos)];
  }
  /// False for a quoted scalar that runs into the end of the file; yaml-cpp takes that for the closing quote.
  [[nodiscard]] bool closes_quote(const YAML::Mark& mark) const {
    const char quote = byte(mark);
    if (quote != '"' && quote != '\'') return true;
    for (auto i = static_cast<std::size_t>(mark.pos) + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\' && quote == '"') {
        ++i;
      } else if (text_[i] == quote) {
        if (quote == '"' || i + 1 >= text_.size() || text_[i + 1] != quote) return true;
        ++i;  // '' is one quote inside a single-quoted scalar
      }
    }
    return false;
  }
  [[nodiscard]] std::string_view from(const YAML::Mark& mark) const {
    if (mark.is_null() || static_cast<std::size_t>(mark.pos) >= text_.size()) return {};
    return text_.substr(static_cast<std::size_t>(mark.pos));
  }

 private:
  static bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }
  std::string_view text_;
  const std::string& file_;
};

/// Builds trees from events and notes what is refused. A refused alias, anchor, tag or duplicate does not end the
/// reading: the user hears of all of them at once.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const Source& source, Problems& problems) : source_(source), problems_(problems) {}

  [[nodiscard]] std::vector<Node> take_documents() { return std::move(documents_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp takes whatever is left behind a document for a next one, and never gets past a stray bracket.
    if (!documents_.empty() && !source_.from(mark).starts_with("---")) {
      add(mark, "unexpected text after the end of the document", "Mend the indentation or the brackets before it.");
      throw Stop{};
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    check_tag(mark, "?");
    if (expects_key()) {
      add(mark, "a key is missing before ':'", "Write the key's name, in quotes if it is null or empty.");
      frames_.back().key_at = source_.at(mark);
      start_value(unusable_key(), mark);
      return;
    }
    auto tree = std::make_shared<Node::Tree>();
    // The mark of an empty value is that of whatever follows; its key is where the user looks.
    tree->at = frames_.empty() || !frames_.back().key ? source_.at(mark) : frames_.back().key_at;
    attach(Node{std::move(tree)});
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    add(mark, kAlias, kWriteOut);
    if (expects_key()) {
      start_value(unusable_key(), mark);
    } else {
      attach(Node{});
    }
  }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    add(mark, "the anchor '&" + name + "' is not allowed", kWriteOut);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    check_tag(mark, tag);
    if (!source_.closes_quote(mark)) {
      add(mark, "the quote opened here is never closed", "Close it.");
      throw Stop{};
    }
    if (expects_key()) {
      start_value(value, mark);
      return;
    }
    auto tree = std::make_shared<Node::Tree>();
    tree->kind = Node::Kind::scalar;
    tree->at = source_.at(mark);
    tree->scalar = value;
    tree->quoted = tag == "!";  // yaml-cpp's mark of every scalar that is not plain
    attach(Node{std::move(tree)});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::mapping);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    std::shared_ptr<Node::Tree> tree;
    std::set<std::string> keys;
    std::optional<std::string> key;  ///< of a mapping: the key whose value comes next
    Position key_at;
  };

  void add(const YAML::Mark& mark, std::string what, std::string fix) {
    problems_.add(source_.at(mark), std::move(what), std::move(fix));
    if (problems_.list().size() >= kMaxProblems) throw Stop{};
  }

  [[nodiscard]] bool expects_key() const {
    return !frames_.empty() && frames_.back().tree->kind == Node::Kind::mapping && !frames_.back().key;
  }

  /// The tag "!" stands for both an explicit '!' and for quotes; only the source tells them apart.
  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    const bool explicit_tag = source_.byte(mark) == '!' || (tag != "?" && tag != "!" && !tag.empty());
    if (explicit_tag) add(mark, "tags (!name) are not allowed", "Remove the tag; the type follows from the key.");
  }

  void start_value(std::string key, const YAML::Mark& mark) {
    auto& frame = frames_.back();
    frame.key_at = source_.at(mark);
    if (!frame.keys.insert(key).second) add(mark, "the key '" + key + "' is given twice", "Keep one of them.");
    frame.key = std::move(key);
  }

  /// A name no file can hold (NUL is refused), so that it collides with nothing; the problem is already noted.
  std::string unusable_key() { return std::string(1, '\0') + std::to_string(unusable_keys_++); }

  void open(const YAML::Mark& mark, const std::string& tag, Node::Kind kind) {
    check_tag(mark, tag);
    if (expects_key()) {
      add(mark, "a key must be plain text, not a list or mapping", "Quote the key if it is text.");
      throw Stop{};
    }
    if (frames_.size() >= kMaxDepth) {
      add(mark, "the file is nested deeper than " + std::to_string(kMaxDepth) + " levels", "Flatten it.");
      throw Stop{};
    }
    Frame frame;
    frame.tree = std::make_shared<Node::Tree>();
    frame.tree->kind = kind;
    frame.tree->at = source_.at(mark);
    frames_.push_back(std::move(frame));
  }

  void close() {
    Node node{std::move(frames_.back().tree)};
    frames_.pop_back();
    attach(std::move(node));
  }

  void attach(Node node) {
    if (frames_.empty()) {
      documents_.push_back(std::move(node));
      return;
    }
    auto& frame = frames_.back();
    if (frame.tree->kind == Node::Kind::sequence) {
      frame.tree->items.push_back(std::move(node));
      return;
    }
    frame.tree->entries.emplace_back(std::move(*frame.key), std::move(node));
    frame.tree->key_positions.push_back(frame.key_at);
    frame.key.reset();
  }

  const Source& source_;
  Problems& problems_;
  std::vector<Frame> frames_;
  std::vector<Node> documents_;
  std::size_t unusable_keys_ = 0;
};

/// yaml-cpp guesses UTF-16 and ends at byte 4, so only clean UTF-8 text reaches it.
Status check_characters(std::string_view text, const std::string& file) {
  Position at{file, 1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto length = utf8_length(text, i);
    if (length == 0) return fail(Errc::invalid, to_string(at) + ": the file is not valid UTF-8 here", "Save it as UTF-8.");
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F)
      return fail(Errc::invalid, to_string(at) + ": control characters are not allowed", "Remove the character.");
    i += length;
    if (c == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
  return {};
}

tl::unexpected<Error> too_large(const std::string& file) {
  return fail(Errc::invalid, file + ": the file is larger than 1 MiB", "Split it into several files.");
}

}  // namespace

Node::Node() {
  static const auto kNull = std::make_shared<const Tree>();
  tree_ = kNull;
}
Node::Node(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}
Node::Kind Node::kind() const { return tree_->kind; }
const Position& Node::at() const { return tree_->at; }
const std::string& Node::scalar() const { return tree_->scalar; }
bool Node::quoted() const { return tree_->quoted; }
const std::vector<Node>& Node::items() const { return tree_->items; }
const std::vector<std::pair<std::string, Node>>& Node::entries() const { return tree_->entries; }

Position Node::key_at(std::string_view key) const {
  for (std::size_t i = 0; i < tree_->entries.size(); ++i)
    if (tree_->entries[i].first == key) return tree_->key_positions[i];
  return tree_->at;
}

Result<std::vector<Node>> parse_yaml(std::string_view text, std::string file_name) {
  if (text.size() > kMaxBytes) return too_large(file_name);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (auto clean = check_characters(text, file_name); !clean) return fail(clean.error());

  const Source source{text, file_name};
  Problems problems;
  Builder builder{source, problems};
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser{stream};
    while (parser.HandleNextDocument(builder)) {}
  } catch (const Stop&) {  // noted where it was thrown
  } catch (const YAML::Exception& e) {
    if (source.byte(e.mark) == '*')  // of an anchor that does not exist; to the user an alias like any other
      problems.add(source.at(e.mark), kAlias, kWriteOut);
    else
      problems.add(source.at(e.mark), "the YAML cannot be read: " + e.msg, "Check indentation, quotes and brackets here.");
  }
  if (!problems.empty()) return fail(problems.to_error());
  auto documents = builder.take_documents();
  if (documents.empty()) {
    auto empty = std::make_shared<Node::Tree>();
    empty->at = Position{file_name, 1, 1};
    documents.emplace_back(std::move(empty));
  }
  return documents;
}

Result<std::vector<Node>> load_yaml(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  std::string text(kMaxBytes + 1, '\0');
  std::size_t got = 0;
  if (file) got = std::fread(text.data(), 1, text.size(), file.get());
  if (!file || std::ferror(file.get()) != 0) {
    const auto code = errno == ENOENT ? Errc::not_found : Errc::unavailable;
    return fail(code, path + ": the file cannot be read (" + std::strerror(errno) + ")",
                "Check the path and its permissions.");
  }
  text.resize(got);
  return parse_yaml(text, path);
}

}  // namespace ward::config
