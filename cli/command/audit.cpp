// wardctl audit verify|list: the chain of what people did. Each record's hash covers the one before, so that a change of
// the past shows; whether records at the end were cut off shows against a hash that was noted elsewhere (--head).
// Source: GET /api/ward/v1/audit.
#include "collector/event/audit.hpp"

#include <CLI/App.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/command/command.hpp"
#include "cli/table.hpp"
#include "common/base/duration.hpp"

namespace ward::cli::command {
namespace {

using collector::AuditRecord;
using nlohmann::json;

struct Asked {
  CollectorOptions options;
  std::string head;
};

/// Page by page to the end.
Result<std::vector<AuditRecord>> read_all(const CollectorOptions& options, const Outside& outside) {
  const auto collector = Collector::open(options, outside);
  if (!collector) return fail(collector.error());
  std::vector<AuditRecord> out;
  while (true) {
    const auto after = out.empty() ? 0 : out.back().number;
    const auto answer = collector->get("/api/ward/v1/audit?after=" + std::to_string(after));
    if (!answer) return fail(answer.error());
    const auto before = out.size();
    try {
      const auto page = json::parse(*answer);
      for (const auto& r : page.at("records")) {
        AuditRecord record;
        record.number = r.at("number").get<std::uint64_t>();
        record.entry = {.at = from_ms(r.at("at_ms").get<std::int64_t>()),
                        .actor = r.at("actor").get<std::string>(),
                        .action = r.at("action").get<std::string>(),
                        .subject = r.at("subject").get<std::string>(),
                        .detail = r.at("detail").get<std::string>()};
        record.hash = r.at("hash").get<std::string>();
        out.push_back(std::move(record));
      }
    } catch (const json::exception&) {
      return fail(Errc::corrupt, "The collector's audit is not understood", "Use wardctl and collector of one version.");
    }
    // A page that does not lead on would be asked for again and again.
    if (out.size() == before || out.back().number <= after) return out;
  }
}

Status verify(const Asked& asked, const Outside& outside) {
  const auto records = read_all(asked.options, outside);
  if (!records) return fail(records.error());
  if (const auto broken = collector::first_broken(*records))
    return fail(Errc::corrupt,
                "The audit is broken at record " + std::to_string(*broken) + ": it was changed, taken out or put in",
                "Compare the state file with its backups; what comes after this record proves nothing.");
  const bool has_head = asked.head.empty() || std::any_of(records->begin(), records->end(),
                                                          [&](const AuditRecord& r) { return r.hash == asked.head; });
  if (!has_head)
    return fail(Errc::corrupt, "The audit does not hold the hash that was noted: its end was cut off, or all of it replaced",
                "Compare the state file with its backups.");
  outside.out << records->size() << " records, all in their place";
  if (!records->empty()) outside.out << "; the last has the hash " << records->back().hash;
  outside.out << '\n';
  return {};
}

Status list(const Asked& asked, const Outside& outside) {
  const auto records = read_all(asked.options, outside);
  if (!records) return fail(records.error());
  Table table{{"NUMBER", "AT", "ACTOR", "ACTION", "SUBJECT", "DETAIL"}};
  for (const auto& r : *records)
    table.add(
        {std::to_string(r.number), format_time(r.entry.at), r.entry.actor, r.entry.action, r.entry.subject, r.entry.detail});
  outside.out << (table.empty() ? "No records.\n" : table.to_text());
  return {};
}

}  // namespace

void add_audit(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("audit", "What people did to incidents and silences");
  command->require_subcommand(1);
  const auto asked = std::make_shared<Asked>();
  auto* verifying = command->add_subcommand("verify", "Recompute the chain of hashes and name the first broken record");
  verifying->add_option("--head", asked->head, "A hash noted before, that must still be in the chain");
  add_collector_options(*verifying, asked->options);
  verifying->callback([=, &outside, &outcome] { outcome = verify(*asked, outside); });
  auto* listing = command->add_subcommand("list", "Show the records");
  add_collector_options(*listing, asked->options);
  listing->callback([=, &outside, &outcome] { outcome = list(*asked, outside); });
}

}  // namespace ward::cli::command
