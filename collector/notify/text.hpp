#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace ward::collector {

/// Text from outside for one line of a message: malformed UTF-8 becomes U+FFFD; line breaks, control characters and the
/// characters that turn the direction of writing become blanks; "{{" is broken up, which some services take for a template.
/// At most `max_bytes`, "..." at the end of what was cut, never within a character.
std::string one_line(std::string_view text, std::size_t max_bytes);
/// The same for each line of a text.
std::string lines(std::string_view text, std::size_t max_bytes);

/// The first `max_bytes` of well-formed UTF-8, "..." at the end of what was cut, never within a character.
std::string cut(std::string_view text, std::size_t max_bytes);

/// An http or https address without characters that end a link or hide where it leads; "" for anything else.
std::string safe_link(std::string_view url);

/// A page is a line to look at and more to read below it.
std::string_view first_line_of(std::string_view text);
std::string_view after_first_line(std::string_view text);

}  // namespace ward::collector
