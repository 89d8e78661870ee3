#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace ward::collector::templates {

struct Token {
  enum class Kind : std::uint8_t {
    text,      ///< outside of actions
    open,      ///< {{
    close,     ///< }}
    word,      ///< if, humanize, true
    field,     ///< .name, text without the dot
    dot,       ///< . alone
    variable,  ///< $x, text with the dollar
    string,    ///< unquoted
    number,
    declare,  ///< :=
    assign,   ///< =
    comma,
    pipe,
    left,
    right,
    other,  ///< a character that means nothing
    end,
  };
  Kind kind = Kind::end;
  std::string text;
  int line = 1;
  bool after_space = false;  ///< `$x .y` is two words, `$x.y` one
};

/// Splits template text; comments are gone and trim markers applied. The last token is `end`.
/// Errors start with the line: "1: unclosed action".
Result<std::vector<Token>> split(std::string_view text);

}  // namespace ward::collector::templates
