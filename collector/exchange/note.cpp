#include "collector/exchange/note.hpp"

#include <algorithm>
#include <tuple>

namespace ward::collector::exchange {
namespace {

std::string_view word(Note::Kind kind) {
  switch (kind) {
    case Note::Kind::lost: return "lost";
    case Note::Kind::changed: return "changed";
    case Note::Kind::secret: return "secret";
  }
  return "lost";
}

}  // namespace

std::string to_string(const Note& note) {
  return note.at.file + ":" + std::to_string(note.at.line) + ": " + std::string(word(note.kind)) + ": " + note.what +
         ", because " + note.because + "; " + note.todo;
}

void Notes::lost(config::Position at, std::string what, std::string because, std::string todo) {
  list_.push_back({Note::Kind::lost, std::move(at), std::move(what), std::move(because), std::move(todo)});
}
void Notes::changed(config::Position at, std::string what, std::string because, std::string todo) {
  list_.push_back({Note::Kind::changed, std::move(at), std::move(what), std::move(because), std::move(todo)});
}
void Notes::secret(config::Position at, std::string what, std::string because, std::string todo) {
  list_.push_back({Note::Kind::secret, std::move(at), std::move(what), std::move(because), std::move(todo)});
}

std::vector<Note> Notes::sorted() const {
  auto out = list_;
  std::stable_sort(out.begin(), out.end(), [](const Note& a, const Note& b) {
    return std::tie(a.at.file, a.at.line) < std::tie(b.at.file, b.at.line);
  });
  return out;
}

}  // namespace ward::collector::exchange
