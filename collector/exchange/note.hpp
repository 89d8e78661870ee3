#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/config/node.hpp"

namespace ward::collector::exchange {

/// Something of the input that is not in the output as it was. lost: it has no place in Ward. changed: it is there, and does
/// not mean quite the same. secret: it was left out on purpose and must be put into a file.
struct Note {
  enum class Kind : std::uint8_t { lost, changed, secret };
  Kind kind = Kind::lost;
  config::Position at;
  std::string what;
  std::string because;
  std::string todo;
  friend bool operator==(const Note&, const Note&) = default;
};
/// "am.yml:14: lost: 'group_wait', because one cause is one page; nothing is to be done".
std::string to_string(const Note& note);

/// Collects what a conversion has to tell. Nothing it is given may hold a secret of the input.
class Notes {
 public:
  void lost(config::Position at, std::string what, std::string because, std::string todo);
  void changed(config::Position at, std::string what, std::string because, std::string todo);
  void secret(config::Position at, std::string what, std::string because, std::string todo);
  [[nodiscard]] const std::vector<Note>& list() const { return list_; }
  /// By file and line.
  [[nodiscard]] std::vector<Note> sorted() const;

 private:
  std::vector<Note> list_;
};

}  // namespace ward::collector::exchange
