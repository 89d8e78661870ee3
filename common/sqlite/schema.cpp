#include "common/sqlite/schema.hpp"

#include <string>

namespace ward::sqlite {

Status migrate(Database& db, const Schema& schema) {
  const auto version = db.scalar("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version > static_cast<std::int64_t>(schema.steps.size()))
    return fail(Errc::denied,
                std::string(schema.what) + " has schema " + std::to_string(*version) + ", this release knows " +
                    std::to_string(schema.steps.size()),
                "Run the newer release of Ward again, or " + std::string(schema.when_newer) + ".");
  for (auto step = static_cast<std::size_t>(*version); step < schema.steps.size(); ++step) {
    auto transaction = Transaction::begin(db);
    if (!transaction) return fail(transaction.error());
    if (auto done = db.run(schema.steps[step]); !done) return done;
    if (auto done = db.run("PRAGMA user_version=" + std::to_string(step + 1)); !done) return done;
    if (auto done = transaction->commit(); !done) return done;
  }
  return {};
}

}  // namespace ward::sqlite
