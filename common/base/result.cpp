#include "common/base/result.hpp"

namespace ward {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::invalid: return "invalid";
    case Errc::not_found: return "not_found";
    case Errc::unavailable: return "unavailable";
    case Errc::timed_out: return "timed_out";
    case Errc::overloaded: return "overloaded";
    case Errc::denied: return "denied";
    case Errc::cancelled: return "cancelled";
    case Errc::corrupt: return "corrupt";
    case Errc::full: return "full";
    case Errc::internal: return "internal";
  }
  return "internal";
}

std::string describe(const Error& error) {
  if (error.fix.empty()) return error.what;
  const bool closed = !error.what.empty() && (error.what.back() == '.' || error.what.back() == '!');
  return error.what + (closed ? " " : ". ") + error.fix;
}

}  // namespace ward
