#pragma once
#include <string_view>

#include "common/base/secret.hpp"

namespace ward::http {

/// What follows "Bearer " in an Authorization header; empty when there is none.
std::string_view bearer(std::string_view header);
/// Takes as long whatever differs.
bool same_secret(std::string_view given, const Secret& expected);

}  // namespace ward::http
