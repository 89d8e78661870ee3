#include "probes/data/postgres_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "probes/data/postgres_readers.hpp"

namespace ward::probes::data {
namespace {

const Json kNull;

}  // namespace

const Json& member(const Json& object, std::string_view key) {
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::optional<double> number_at(const Json& object, std::string_view key) {
  const auto& value = member(object, key);
  if (value.is_number()) return value.get<double>();
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  return std::nullopt;
}

std::string text_at(const Json& object, std::string_view key) {
  const auto& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

Result<Json> parse_answer(std::string_view text) {
  auto parsed = Json::parse(text, nullptr, false);
  if (parsed.is_discarded()) {
    std::string ascii(text);
    std::ranges::replace_if(
        ascii, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
    parsed = Json::parse(ascii, nullptr, false);
  }
  if (parsed.is_discarded())
    return fail(Errc::corrupt, "The server answered a statistics query with something that is not JSON",
                "Check that the target is PostgreSQL 12 or later, and not another program on its port.");
  return parsed;
}

Result<ServerFacts> read_identity(std::string_view text) {
  const auto parsed = parse_answer(text);
  if (!parsed) return fail(parsed.error());
  const auto num = number_at(*parsed, "num");
  if (!num)
    return fail(Errc::corrupt, "The server did not tell its version", "Check that the target is PostgreSQL 12 or later.");
  ServerFacts facts;
  facts.version = static_cast<int>(*num) / 10000;
  facts.short_version = text_at(*parsed, "short");
  facts.full_version = text_at(*parsed, "full");
  facts.superuser = number_at(*parsed, "super").value_or(0) > 0;
  facts.statements_schema = text_at(*parsed, "statements");
  for (const auto& [view, columns] : member(*parsed, "columns").items())
    for (const auto& column : columns)
      if (column.is_string()) facts.columns[view].insert(column.get<std::string>());
  return facts;
}

}  // namespace ward::probes::data
