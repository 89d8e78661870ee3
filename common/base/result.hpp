#pragma once
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace ward {

/// The closed list of failure kinds; also the `code` label of error metrics.
enum class Errc { invalid, not_found, unavailable, timed_out, overloaded, denied, cancelled, corrupt, full, internal };

std::string_view to_string(Errc code);

/// What went wrong, and what the reader should do. Both are sentences without a trailing newline; `fix` may be empty
/// only where no user can act. Neither ever holds a secret, SQL text or a row value.
struct Error {
  Errc code = Errc::internal;
  std::string what;
  std::string fix;
  friend bool operator==(const Error&, const Error&) = default;
};

/// Expected failures travel in a Result; exceptions are for bugs and for start-up.
template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string what, std::string fix) {
  return tl::unexpected<Error>{Error{code, std::move(what), std::move(fix)}};
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error e) { return tl::unexpected<Error>{std::move(e)}; }

/// One line for people: "what. fix".
std::string describe(const Error& error);

}  // namespace ward
