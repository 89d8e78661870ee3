#pragma once
#include <span>
#include <string_view>

#include "common/sqlite/database.hpp"

namespace ward::sqlite {

/// A file's tables, version by version: step N leads from version N to N+1 and is never edited once released. The version
/// stands in the file's user_version.
struct Schema {
  std::span<const std::string_view> steps;
  std::string_view what;        ///< "the journal": of the file, for people
  std::string_view when_newer;  ///< what else one may do but run the newer release again, as the end of a sentence
};

/// Brings the file to the last version, each step in a transaction of its own. Errc::denied: a newer release wrote it.
Status migrate(Database& db, const Schema& schema);

}  // namespace ward::sqlite
