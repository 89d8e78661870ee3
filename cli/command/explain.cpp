// wardctl explain ALERT|INCIDENT: why something paged, or did not, in words.
// Source: GET /api/ward/v1/explain.
#include <CLI/App.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/command/command.hpp"
#include "common/base/duration.hpp"
#include "common/telemetry/log_format.hpp"

namespace ward::cli::command {
namespace {

using nlohmann::json;

constexpr std::size_t kWidth = 100;

/// "2026-11-22T10:42:07.123Z" -> "11-22 10:42:07"; what is no time stays as it is.
std::string short_time(const std::string& text) {
  if (text.size() < 19 || text[10] != 'T') return text;
  return text.substr(5, 5) + " " + text.substr(11, 8);
}

/// Words in lines of at most kWidth, each beginning with `indent` blanks but the first.
void put_wrapped(std::string& out, const std::string& text, std::size_t indent) {
  std::size_t column = indent;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    const auto word = text.substr(at, end - at);
    if (column > indent && column + 1 + word.size() > kWidth) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    at = end + 1;
  }
  out += '\n';
}

Status explain(const std::string& subject, const CollectorOptions& options, const Outside& outside) {
  const auto collector = Collector::open(options, outside);
  if (!collector) return fail(collector.error());
  const auto body = collector->get("/api/ward/v1/explain?subject=" + url_encoded(subject));
  if (!body) return fail(body.error());
  if (options.json) {
    outside.out << *body;
    return {};
  }
  const auto shown = show_story(*body);
  if (!shown) return fail(shown.error());
  outside.out << *shown;
  return {};
}

}  // namespace

Result<std::string> show_story(const std::string& body) {
  std::string out;
  try {
    const auto story = json::parse(body);
    put_wrapped(out, telemetry::printable(story.at("headline").get<std::string>()), 0);
    for (const auto& section : story.at("sections")) {
      out += '\n' + telemetry::printable(section.at("title").get<std::string>()) + '\n';
      for (const auto& line : section.at("lines")) {
        constexpr std::size_t kIndent = 18;
        auto at = short_time(line.value("at", ""));
        at.resize(std::max(at.size(), kIndent - 4), ' ');
        out += "  " + telemetry::printable(at) + "  ";
        put_wrapped(out, telemetry::printable(line.at("text").get<std::string>()), kIndent);
      }
    }
  } catch (const json::exception&) {
    return fail(Errc::corrupt, "The collector's explanation is not understood", "Use wardctl and collector of one version.");
  }
  return out;
}

void add_explain(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("explain", "Say in words why an alert or an incident paged, or did not");
  const auto subject = std::make_shared<std::string>();
  const auto options = std::make_shared<CollectorOptions>();
  command
      ->add_option("subject", *subject,
                   "An incident's id or its beginning, an alert's name, name{label=\"value\"} or its fingerprint")
      ->required()
      ->type_name("ALERT|INCIDENT");
  add_collector_options(*command, *options);
  command->footer(
      "Times are UTC.\n"
      "Examples:\n"
      "  wardctl explain 01JD6Q\n"
      "  wardctl explain PostgresDown\n"
      "  wardctl explain 'PostgresReplicaLag{tenant=\"clinic-a\"}'");
  command->callback([=, &outside, &outcome] { outcome = explain(*subject, *options, outside); });
}

}  // namespace ward::cli::command
