#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/model/labels.hpp"

namespace ward::exposition {

/// What is wrong with a line, without its number: "the value '12x' is not a number".
template <class T>
using Read = tl::expected<T, std::string>;

/// Whether blanks may stand around every part of a line (the text format) or nowhere but as single separators (OpenMetrics).
enum class Blanks : std::uint8_t { anywhere, single };

/// A metric's name and labels, as a line says them.
struct Series {
  std::string metric;
  std::vector<Label> labels;  ///< sorted by name, names unique; values may be empty
  friend bool operator==(const Series&, const Series&) = default;
};

/// Reads one line from left to right. Views the line, which must outlive it.
class Line {
 public:
  Line(std::string_view text, Blanks blanks) : text_(text), blanks_(blanks) {}

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  bool take(char c);
  bool take(std::string_view word);
  void skip_blanks();
  /// Whether `c` was just read.
  [[nodiscard]] bool follows(char c) const { return at_ > 0 && text_[at_ - 1] == c; }
  /// The one separator of OpenMetrics, or any blanks of the text format (at least one).
  bool take_separator();
  /// Up to the next blank; empty at the end.
  std::string_view word();

  /// [a-zA-Z_:][a-zA-Z0-9_:]*, or "any UTF-8" in quotes.
  Read<std::string> metric_name();
  /// name{label="value",...} or {"name",label="value",...}; `most_labels` bounds them.
  Read<Series> series(std::size_t most_labels);
  /// {label="value",...} of an exemplar.
  Read<std::vector<Label>> labels(std::size_t most_labels);

  /// What stands here, for an error: "'x'" or "the end of the line".
  [[nodiscard]] std::string seen() const;

 private:
  enum class Colons : std::uint8_t { no, yes };
  std::string_view name(Colons colons);
  Read<std::string> quoted();
  Read<void> braces(std::string* metric, std::vector<Label>& labels, std::size_t most_labels);
  Read<void> label(std::string* metric, std::vector<Label>& labels);
  void between() {
    if (blanks_ == Blanks::anywhere) skip_blanks();
  }
  std::string_view text_;
  Blanks blanks_;
  std::size_t at_ = 0;
};

/// A word of the line for an error: quoted, cut, and without bytes that a terminal would obey.
std::string shown(std::string_view word);
/// Text with \\ and \n (and \" when `quotes`) as the characters they stand for; any other escape stays as it is written.
enum class Quotes : std::uint8_t { plain, escaped };
std::string unescape(std::string_view text, Quotes quotes);

}  // namespace ward::exposition
