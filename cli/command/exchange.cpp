// wardctl import and wardctl export: rules and routing of other tools into Ward's documents, and service levels back.
#include <CLI/App.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/command/command.hpp"
#include "collector/alerting/promql_expression.hpp"
#include "collector/exchange/imported.hpp"
#include "collector/exchange/openslo.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/tsdb/head.hpp"

namespace ward::cli::command {
namespace {

namespace exchange = collector::exchange;

struct ImportOptions {
  std::vector<std::string> files;
  std::string out;
  std::string receivers;
};
using Import = Result<exchange::Imported> (*)(std::span<const exchange::InputFile>);

Result<std::vector<exchange::InputFile>> read_all(const std::vector<std::string>& patterns) {
  std::vector<exchange::InputFile> out;
  for (const auto& path : collector::rule_paths(patterns)) {
    auto text = collector::read_rule_file(path);
    if (!text) return fail(text.error());
    out.push_back({path, std::move(*text)});
  }
  if (out.empty()) return fail(Errc::not_found, "no file matches", "Name files, or globs in quotes.");
  return out;
}

Status write_file(const std::string& path, const std::string& text) {
  std::error_code error;
  if (std::filesystem::exists(path, error))
    return fail(Errc::invalid, path + " is there already",
                "Name another file, or take it away: wardctl writes over nothing.");
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return {};
  return fail(Errc::unavailable, path + " cannot be written", "Check the folder, its permissions and the disk.");
}

/// The rulebook that `texts` make, or what is wrong with them.
collector::RulebookLoad load(const std::vector<collector::RuleText>& texts) {
  const auto clock = real_clock();
  const promql::Engine engine(*clock);
  const collector::Head nothing;
  const collector::PromqlCompiler compiler(engine, nothing);
  return collector::parse_rulebook(texts, compiler, collector::RulebookOptions{}, collector::read_rule_file);
}

std::string as_comment(const std::string& text) {
  std::istringstream lines(text);
  std::string out, line;
  while (std::getline(lines, line)) out += "# " + line + "\n";
  return out;
}

/// The documents to --out or the terminal; the receivers to their own file, or as a comment behind the documents.
Status put_out(const exchange::Imported& made, const std::string& header, const ImportOptions& options,
               const Outside& outside) {
  std::string text = "# " + header + "\n---\n" + exchange::write(made.documents);
  if (const auto checked = load({{options.out.empty() ? "the output" : options.out, text}}); !checked.book)
    return fail(Errc::invalid, "what came out does not load:\n" + checked.to_error().what,
                "Mend what it names in the input, and import again.");
  if (!made.collector.empty()) {
    const auto receivers = exchange::write(made.collector);
    if (options.receivers.empty()) {
      text += "\n# For collector.yaml:\n" + as_comment(receivers);
    } else if (auto ok = write_file(options.receivers, "# " + header + ". For collector.yaml.\n" + receivers); !ok) {
      return ok;
    }
  }
  if (!options.out.empty()) return write_file(options.out, text);
  outside.out << text;
  return {};
}

void tell(const exchange::Notes& notes, const Outside& outside) {
  std::size_t lost = 0;
  for (const auto& note : notes.sorted()) {
    outside.err << to_string(note) << '\n';
    lost += note.kind == exchange::Note::Kind::lost ? 1 : 0;
  }
  if (!notes.list().empty()) outside.err << notes.list().size() << " notes, " << lost << " of them on what was lost\n";
}

Status import(const std::string& tool, Import make, const ImportOptions& options, const Outside& outside) {
  const auto files = read_all(options.files);
  if (!files) return fail(files.error());
  const auto made = make(*files);
  if (!made) return fail(made.error());
  tell(made->notes, outside);
  if (made->documents.empty())
    return fail(Errc::invalid, "nothing of the input could be taken", "See the lines above; name files of " + tool + ".");
  std::string header = "By wardctl import " + tool + " from";
  for (const auto& file : *files) header += " " + std::filesystem::path(file.name).filename().string();
  return put_out(*made, header, options, outside);
}

Status export_openslo(const ImportOptions& options, const Outside& outside) {
  const auto clock = real_clock();
  const promql::Engine engine(*clock);
  const collector::Head nothing;
  const collector::PromqlCompiler compiler(engine, nothing);
  const auto book = collector::load_rulebook(options.files, compiler, collector::RulebookOptions{});
  if (!book.book) return fail(book.to_error());
  const auto made = exchange::export_openslo(book.book->rules->others);
  tell(made.notes, outside);
  if (made.documents.empty())
    return fail(Errc::not_found, "the rule files hold no service level",
                "Name files with documents of apiVersion openslo/v1.");
  const auto text = exchange::write(made.documents);
  if (!options.out.empty()) return write_file(options.out, text);
  outside.out << text;
  return {};
}

}  // namespace

void add_import(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("import", "Turn files of other tools into Ward's documents, and say what was lost");
  command->require_subcommand(1);
  const auto add = [&](const std::string& tool, const char* help, Import make) {
    auto* one = command->add_subcommand(tool, help);
    const auto options = std::make_shared<ImportOptions>();
    one->add_option("file", options->files, "Files to read: paths or globs")->required()->type_name("FILE");
    one->add_option("--out", options->out, "The rule file to write; default: the terminal")->type_name("FILE");
    if (tool == "alertmanager")
      one->add_option("--receivers", options->receivers,
                      "Where to write what belongs into collector.yaml; default: a comment behind the documents")
          ->type_name("FILE");
    one->footer(
        "What has no place in Ward, means something else now, or is a secret to be put into a file is told line by line\n"
        "on the error output. Exit code: 0 when a rule file came out, 2 when not.");
    one->callback([=, &outside, &outcome] { outcome = import(tool, make, *options, outside); });
  };
  add("sloth", "Sloth's prometheus/v1, PrometheusServiceLevel and AlertWindows", exchange::import_sloth);
  add("pyrra", "Pyrra's ServiceLevelObjective", exchange::import_pyrra);
  add("alertmanager", "An Alertmanager configuration: routes, receivers, inhibition, times", exchange::import_alertmanager);
}

void add_export(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("export", "Write Ward's documents in formats of others, and say what they do not hold");
  command->require_subcommand(1);
  auto* openslo = command->add_subcommand("openslo", "The service levels of rule files as plain OpenSLO v1");
  const auto options = std::make_shared<ImportOptions>();
  openslo->add_option("file", options->files, "Rule files: paths or globs")->required()->type_name("FILE");
  openslo->add_option("--out", options->out, "The file to write; default: the terminal")->type_name("FILE");
  openslo->callback([=, &outside, &outcome] { outcome = export_openslo(*options, outside); });
}

}  // namespace ward::cli::command
