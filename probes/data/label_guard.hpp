#pragma once
#include <string>
#include <string_view>

namespace ward::probes::data {

/// What a rejected label value becomes.
inline constexpr std::string_view kRedacted = "_redacted";
/// What stands for members past a cap, and for names of which nothing is left.
inline constexpr std::string_view kOther = "_other";

/// The deny filter for text that comes from a target (facts: probe-safety 5.3): six or more digits in a row, '@', any
/// quote, control characters. Such a value may be a person or a secret.
[[nodiscard]] bool is_denied(std::string_view value);

/// The value as a label: kRedacted when denied, at most 128 bytes otherwise.
[[nodiscard]] std::string guarded(std::string_view value);

/// An application_name without its process id, UUID, host name and pod suffix, so that a restart does not start a new
/// series: "odoo-4711" and "odoo-4712" are both "odoo". A name that looks like more than a program (several numbers, words
/// beside a number of three or more digits) is kRedacted; one of which nothing is left is kOther.
[[nodiscard]] std::string application_label(std::string_view application_name);

}  // namespace ward::probes::data
