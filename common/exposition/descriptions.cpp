#include "common/exposition/descriptions.hpp"

#include <utility>

#include "common/base/utf8.hpp"

namespace ward::exposition {
namespace {

/// At most `most` bytes, not cut within a character.
std::string cut(const std::string& text, std::size_t most) {
  std::size_t end = 0;
  while (end < text.size()) {
    const auto length = utf8_length(text, end);
    if (length == 0 || end + length > most) break;
    end += length;
  }
  return text.substr(0, end);
}

void end_with(std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) name += suffix;
}

}  // namespace

Description* Descriptions::of(const std::string& family) {
  const auto known = by_family_.find(family);
  if (known != by_family_.end()) return &known->second;
  if (by_family_.size() >= limits_.most) return nullptr;
  auto& fresh = by_family_[family];
  fresh.name = family;
  return &fresh;
}

void Descriptions::add(const Entry& entry) {
  if (const auto* type = std::get_if<TypeLine>(&entry)) {
    if (auto* about = of(type->family)) about->type = type->type;
  } else if (const auto* help = std::get_if<HelpLine>(&entry)) {
    if (auto* about = of(help->family)) about->help = cut(help->text, limits_.text_bytes);
  } else if (const auto* unit = std::get_if<UnitLine>(&entry)) {
    if (auto* about = of(unit->family)) about->unit = cut(unit->unit, limits_.text_bytes);
  }
}

std::vector<Description> Descriptions::take() {
  std::vector<Description> all;
  for (auto& [family, about] : std::exchange(by_family_, {})) {
    if (format_ == Format::openmetrics && about.type == MetricType::counter) end_with(about.name, "_total");
    if (format_ == Format::openmetrics && about.type == MetricType::info) end_with(about.name, "_info");
    all.push_back(std::move(about));
  }
  return all;
}

}  // namespace ward::exposition
