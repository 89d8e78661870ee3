// wardctl silence add|list|expire: what nobody is told of for a while.
// Source: Alertmanager's API v2, /api/v2/silences.
#include <CLI/App.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/command/command.hpp"
#include "cli/table.hpp"
#include "collector/routing/matcher.hpp"
#include "common/base/duration.hpp"
#include "common/telemetry/log_format.hpp"

namespace ward::cli::command {
namespace {

using Op = collector::LabelCondition::Op;
using nlohmann::json;

constexpr auto kNotUnderstood = "The collector's list of silences is not understood";
constexpr auto kOneVersion = "Use wardctl and collector of one version.";

struct Asked {
  CollectorOptions options;
  std::vector<std::string> words;  ///< matchers or ids
  std::string comment;
  std::string author;
  std::string duration = "1h";
  std::string start;
  bool expired = false;
};

Result<json> body_of(const Asked& asked, const Outside& outside) {
  auto matchers = json::array();
  for (const auto& text : asked.words) {
    const auto one = collector::LabelCondition::parse(text);
    if (!one) return fail(one.error());
    const bool regex = one->op() == Op::regex || one->op() == Op::not_regex;
    const bool equal = one->op() == Op::equal || one->op() == Op::regex;
    matchers.push_back({{"name", one->name()}, {"value", one->value()}, {"isRegex", regex}, {"isEqual", equal}});
  }
  const auto lasts = parse_duration(asked.duration);
  if (!lasts) return fail(lasts.error());
  auto start = asked.start.empty() ? Result<Time>{outside.clock.wall()} : parse_time(asked.start);
  if (!start) return fail(start.error());
  const auto author = asked.author.empty() ? outside.environment("USER") : asked.author;
  return json{{"matchers", std::move(matchers)},
              {"startsAt", format_time(*start)},
              {"endsAt", format_time(*start + *lasts)},
              {"createdBy", author},
              {"comment", asked.comment}};
}

Status add(const Asked& asked, const Outside& outside) {
  const auto collector = Collector::open(asked.options, outside);
  if (!collector) return fail(collector.error());
  const auto body = body_of(asked, outside);
  if (!body) return fail(body.error());
  const auto answer = collector->post("/api/v2/silences", body->dump(-1, ' ', false, json::error_handler_t::replace));
  if (!answer) return fail(answer.error());
  const auto said = json::parse(*answer, nullptr, false);
  if (!said.is_object() || !said.contains("silenceID") || !said.at("silenceID").is_string())
    return fail(Errc::corrupt, "The collector's answer is not understood", kOneVersion);
  outside.out << telemetry::printable(said.at("silenceID").get<std::string>()) << '\n';
  return {};
}

std::string matchers_of(const json& silence) {
  std::string out;
  for (const auto& m : silence.at("matchers")) {
    const bool regex = m.at("isRegex").get<bool>();
    const bool equal = m.value("isEqual", true);
    out += (out.empty() ? "" : ", ") + m.at("name").get<std::string>() +
           (equal ? (regex ? "=~" : "=") : (regex ? "!~" : "!=")) + "\"" + m.at("value").get<std::string>() + "\"";
  }
  return out;
}

Status list(const Asked& asked, const Outside& outside) {
  const auto collector = Collector::open(asked.options, outside);
  if (!collector) return fail(collector.error());
  const auto answer = collector->get("/api/v2/silences");
  if (!answer) return fail(answer.error());
  if (asked.options.json) {
    outside.out << *answer;
    return {};
  }
  Table table{{"ID", "STATE", "MATCHERS", "ENDS", "AUTHOR", "COMMENT"}};
  try {
    for (const auto& s : json::parse(*answer)) {
      const auto state = s.at("status").at("state").get<std::string>();
      if (state == "expired" && !asked.expired) continue;
      table.add({s.at("id").get<std::string>(), state, matchers_of(s), s.at("endsAt").get<std::string>(),
                 s.at("createdBy").get<std::string>(), s.at("comment").get<std::string>()});
    }
  } catch (const json::exception&) {
    return fail(Errc::corrupt, kNotUnderstood, kOneVersion);
  }
  outside.out << (table.empty() ? "No silences.\n" : table.to_text());
  return {};
}

Status expire(const Asked& asked, const Outside& outside) {
  const auto collector = Collector::open(asked.options, outside);
  if (!collector) return fail(collector.error());
  for (const auto& id : asked.words)
    if (const auto done = collector->remove("/api/v2/silence/" + url_encoded(id)); !done) return fail(done.error());
  return {};
}

}  // namespace

void add_silence(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("silence", "Add, list and end silences");
  command->require_subcommand(1);
  const auto asked = std::make_shared<Asked>();
  auto* adding = command->add_subcommand("add", "Nobody is told of what matches, for a while; prints its id");
  adding->add_option("matchers", asked->words, "All must hold: alertname=X service=~\"pg.*\"")->required();
  adding->add_option("--comment", asked->comment, "Why")->required();
  adding->add_option("--author", asked->author, "Who you are, where it is not $USER");
  adding->add_option("--for", asked->duration, "How long; 1h unless told otherwise");
  adding->add_option("--start", asked->start, "When it begins, RFC 3339; now unless told otherwise");
  add_collector_options(*adding, asked->options);
  adding->callback([=, &outside, &outcome] { outcome = add(*asked, outside); });
  auto* listing = command->add_subcommand("list", "The silences that are pending or active");
  listing->add_flag("--expired", asked->expired, "Those that have ended too");
  add_collector_options(*listing, asked->options);
  listing->callback([=, &outside, &outcome] { outcome = list(*asked, outside); });
  auto* ending = command->add_subcommand("expire", "End silences now; what is still open is told");
  ending->add_option("ids", asked->words, "Their ids")->required();
  add_collector_options(*ending, asked->options);
  ending->callback([=, &outside, &outcome] { outcome = expire(*asked, outside); });
}

}  // namespace ward::cli::command
