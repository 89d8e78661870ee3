#include "common/config/node.hpp"

namespace ward::config {
namespace {

std::string one_line(const Problem& p) {
  const auto sentence = p.what + (p.what.ends_with('?') || p.what.ends_with('.') || p.fix.empty() ? "" : ".");
  return to_string(p.at) + ": " + sentence + (p.fix.empty() ? "" : " " + p.fix);
}

}  // namespace

std::string to_string(const Position& p) {
  // A whole file has a problem (missing, too large): there is no line to point at.
  if (p.line <= 0) return p.file;
  return p.file + ":" + std::to_string(p.line) + ":" + std::to_string(p.column);
}

void Problems::add(Position at, std::string what, std::string fix) {
  list_.push_back({std::move(at), std::move(what), std::move(fix)});
}

std::string Problems::to_text() const {
  std::string out;
  for (const auto& problem : list_) {
    if (!out.empty()) out += '\n';
    out += one_line(problem);
  }
  return out;
}

Error Problems::to_error() const { return Error{Errc::invalid, to_text(), ""}; }

}  // namespace ward::config
