#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace ward::collector::exchange {

/// An http address without what may be secret in it: user, query, and a path that is not of plain words.
struct Address {
  std::string safe;    ///< scheme and host, and the path when all of it is safe; "" for no http address
  bool whole = false;  ///< nothing was left out
};
Address address_of(std::string_view url);

/// A name that a file can have: letters, digits and '-'.
std::string file_name(std::string_view text);

/// "Ops <ops@clinic.example>" or a bare address; nullopt for anything else.
std::optional<std::string> mail_address(std::string_view text);

}  // namespace ward::collector::exchange
