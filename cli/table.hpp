#pragma once
#include <string>
#include <vector>

namespace ward::cli {

/// Rows of text in aligned columns, two blanks apart. Cells come from the network: what could move the terminal's cursor
/// is shown escaped.
class Table {
 public:
  /// An empty header prints no header line.
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  void add(std::vector<std::string> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Ends with '\n' unless there is nothing to show.
  [[nodiscard]] std::string to_text() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace ward::cli
