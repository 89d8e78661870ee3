#include "collector/routing/silence.hpp"

#include <algorithm>
#include <utility>

#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kMostMatchers = 50;
constexpr std::size_t kLongestText = 4'096;

LabelCondition::Op op_of(const SilenceMatcher& m) {
  if (m.is_regex) return m.is_equal ? LabelCondition::Op::regex : LabelCondition::Op::not_regex;
  return m.is_equal ? LabelCondition::Op::equal : LabelCondition::Op::not_equal;
}

Result<std::vector<LabelCondition>> conditions_of(const std::vector<SilenceMatcher>& matchers) {
  std::vector<LabelCondition> out;
  for (const auto& m : matchers) {
    auto one = LabelCondition::make(m.name, op_of(m), m.value);
    if (!one) return fail(one.error());
    out.push_back(std::move(*one));
  }
  return out;
}

}  // namespace

std::string to_string(const SilenceMatcher& m) {
  std::string out = m.name + (m.is_regex ? (m.is_equal ? "=~\"" : "!~\"") : (m.is_equal ? "=\"" : "!=\""));
  for (const char c : m.value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string to_string(const std::vector<SilenceMatcher>& matchers) {
  std::string out;
  for (const auto& m : matchers) out += (out.empty() ? "" : ", ") + to_string(m);
  return out;
}

SilenceBook::SilenceBook(std::vector<AlertSilence> stored) {
  for (auto& silence : stored)
    if (auto conditions = conditions_of(silence.matchers); conditions && !conditions->empty()) {
      auto id = silence.id;
      entries_[std::move(id)] = {.silence = std::move(silence), .conditions = std::move(*conditions)};
    }
}

Result<std::vector<LabelCondition>> SilenceBook::check(const AlertSilence& silence, Time now) const {
  const auto refuse = [](std::string what, std::string fix) -> Result<std::vector<LabelCondition>> {
    return fail(Errc::invalid, std::move(what), std::move(fix));
  };
  if (silence.comment.empty()) return refuse("a silence needs a comment that says why", "Say why in the comment.");
  if (silence.created_by.empty()) return refuse("a silence needs an author", "Name who silences in createdBy.");
  if (silence.comment.size() > kLongestText || silence.created_by.size() > kLongestText)
    return refuse("the comment or the author has more than 4096 characters", "Shorten it.");
  if (silence.ends_at <= silence.starts_at)
    return refuse("the silence would end at " + format_time(silence.ends_at) + ", not after its start",
                  "Set endsAt after startsAt.");
  if (silence.ends_at <= now)
    return refuse("the silence would have ended at " + format_time(silence.ends_at) + " already",
                  "Set endsAt later than now.");
  const bool too_long = std::any_of(silence.matchers.begin(), silence.matchers.end(), [](const SilenceMatcher& m) {
    return m.name.size() > kLongestText || m.value.size() > kLongestText;
  });
  if (too_long) return refuse("a matcher has more than 4096 characters", "Shorten it.");
  if (silence.matchers.size() > kMostMatchers) return refuse("the silence has more than 50 matchers", "Make several.");
  auto conditions = conditions_of(silence.matchers);
  if (!conditions) return conditions;
  const bool covers_all =
      std::all_of(conditions->begin(), conditions->end(), [](const LabelCondition& c) { return c.holds_for_nothing(); });
  if (covers_all)
    return refuse("the silence would cover everything: no matcher asks for a label that is there",
                  "Add a matcher such as alertname=\"NodeDown\".");
  return conditions;
}

Result<SilenceBook::Put> SilenceBook::put(AlertSilence silence, std::string fresh_id, Time now) {
  Put out;
  const auto old = entries_.find(silence.id);
  if (!silence.id.empty() && old == entries_.end())
    return fail(Errc::not_found, "there is no silence '" + silence.id + "'",
                "List them, or leave the id out for a new one.");
  const bool had_one = !silence.id.empty();
  const auto was = had_one ? state_of(old->second.silence, now) : SilenceState::expired;
  // What is about to begin cannot begin in the past: nobody was silenced then. One that runs keeps its start.
  const bool keeps = had_one && was != SilenceState::expired && old->second.silence.matchers == silence.matchers &&
                     (was == SilenceState::pending || old->second.silence.starts_at == silence.starts_at);
  if (!(keeps && was == SilenceState::active)) silence.starts_at = std::max(silence.starts_at, now);
  auto conditions = check(silence, now);
  if (!conditions) return fail(conditions.error());
  const auto running = std::count_if(entries_.begin(), entries_.end(), [&](const auto& e) {
    return state_of(e.second.silence, now) != SilenceState::expired;
  });
  if (!keeps && static_cast<std::size_t>(running) >= kMost)
    return fail(Errc::overloaded, "there are " + std::to_string(kMost) + " silences already",
                "Expire those that nobody needs.");
  silence.updated_at = now;
  silence.ended = false;
  if (!keeps) {
    if (had_one && was != SilenceState::expired) out.changed.push_back(expire(silence.id, now).value());
    silence.id = std::move(fresh_id);
  }
  out.id = silence.id;
  out.changed.push_back(silence);
  entries_[out.id] = {.silence = std::move(silence), .conditions = std::move(*conditions)};
  return out;
}

Result<AlertSilence> SilenceBook::expire(const std::string& id, Time now) {
  const auto at = entries_.find(id);
  if (at == entries_.end()) return fail(Errc::not_found, "there is no silence '" + id + "'", "List the silences.");
  auto& silence = at->second.silence;
  if (state_of(silence, now) == SilenceState::expired)
    return fail(Errc::invalid, "the silence '" + id + "' has expired already", "There is nothing to do.");
  silence.ends_at = std::min(silence.ends_at, now);
  silence.starts_at = std::min(silence.starts_at, silence.ends_at);
  silence.updated_at = now;
  silence.ended = true;
  return silence;
}

const AlertSilence* SilenceBook::covering(const Labels& labels, Time now) const {
  for (const auto& [id, entry] : entries_)
    if (state_of(entry.silence, now) == SilenceState::active && all_hold(entry.conditions, labels)) return &entry.silence;
  return nullptr;
}

std::vector<std::string> SilenceBook::all_covering(const Labels& labels, Time now) const {
  std::vector<std::string> out;
  for (const auto& [id, entry] : entries_)
    if (state_of(entry.silence, now) == SilenceState::active && all_hold(entry.conditions, labels)) out.push_back(id);
  return out;
}

const AlertSilence* SilenceBook::find(const std::string& id) const {
  const auto at = entries_.find(id);
  return at == entries_.end() ? nullptr : &at->second.silence;
}

std::vector<AlertSilence> SilenceBook::list() const {
  std::vector<AlertSilence> out;
  for (const auto& [id, entry] : entries_) out.push_back(entry.silence);
  return out;
}

std::vector<std::string> SilenceBook::forget(Time now) {
  std::vector<std::string> out;
  std::erase_if(entries_, [&](const auto& entry) {
    const auto& silence = entry.second.silence;
    const bool old = state_of(silence, now) == SilenceState::expired && now - silence.ends_at > kKeepExpired;
    if (old) out.push_back(entry.first);
    return old;
  });
  if (entries_.size() <= kMost + kMostExpired) return out;
  std::vector<std::pair<Time, std::string>> expired;
  for (const auto& [id, entry] : entries_)
    if (state_of(entry.silence, now) == SilenceState::expired) expired.emplace_back(entry.silence.ends_at, id);
  std::sort(expired.begin(), expired.end());
  const auto surplus = std::min(expired.size(), entries_.size() - kMost - kMostExpired);
  for (std::size_t i = 0; i < surplus; ++i) {
    entries_.erase(expired[i].second);
    out.push_back(std::move(expired[i].second));
  }
  return out;
}

Time SilenceBook::next_change(Time now) const {
  auto next = Time::max();
  for (const auto& [id, entry] : entries_) {
    if (entry.silence.ended) continue;
    for (const auto t : {entry.silence.starts_at, entry.silence.ends_at})
      if (t > now) next = std::min(next, t);
  }
  return next;
}

}  // namespace ward::collector
