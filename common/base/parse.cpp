#include "common/base/parse.hpp"

namespace ward {

std::string_view next_word(std::string_view& text) {
  const auto from = text.find_first_not_of(" \t\n");
  if (from == std::string_view::npos) {
    text = {};
    return {};
  }
  const auto to = text.find_first_of(" \t\n", from);
  const auto word = text.substr(from, to == std::string_view::npos ? to : to - from);
  text = to == std::string_view::npos ? std::string_view{} : text.substr(to);
  return word;
}

bool next_line(std::string_view& text, std::string_view& line) {
  if (text.empty()) return false;
  const auto end = text.find('\n');
  line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return true;
}

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

namespace {

template <class T>
Result<T> number(std::string_view word, const char* kind) {
  T value{};
  const auto [end, ec] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (ec != std::errc{} || end != word.data() + word.size())
    return fail(Errc::invalid, "'" + std::string(word) + "' is not " + kind, "");
  return value;
}

}  // namespace

Result<double> to_double(std::string_view word) { return number<double>(word, "a number"); }
Result<std::uint64_t> to_u64(std::string_view word) { return number<std::uint64_t>(word, "a whole number"); }
Result<std::int64_t> to_i64(std::string_view word) { return number<std::int64_t>(word, "a whole number"); }

}  // namespace ward
