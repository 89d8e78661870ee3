#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"

namespace ward::collector {

/// The form of mail (RFC 5322, 2045, 2047). Everything ends in CRLF, is ASCII, and has lines of at most 78 characters unless
/// one address is longer; control characters in what is given become blanks, so that no text can be a header of its own.

/// "Name: value", for values without blanks worth folding at.
std::string mail_header(std::string_view name, std::string_view value);
/// A header of free text: as it is where it is ASCII and folds at its blanks, in encoded words otherwise.
std::string mail_text_header(std::string_view name, std::string_view text);
/// A list of plain addresses, folded.
std::string mail_addresses(std::string_view name, const std::vector<std::string>& addresses);
/// One address with a display name before it, unless that is empty.
std::string mail_mailbox(std::string_view name, std::string_view display, std::string_view address);
/// "Sun, 22 Nov 2026 10:42:45 +0000".
std::string mail_date(Time at);
/// A body of lines ('\n').
std::string quoted_printable(std::string_view text);

/// name@host with nothing around it and no quoting; ASCII.
bool is_mail_address(std::string_view text);
/// Letters, digits, '-', '.' and ':' (of an IPv6 address).
bool is_host_name(std::string_view text);

}  // namespace ward::collector
