#include "collector/alerting/missing_data.hpp"

#include <algorithm>
#include <optional>
#include <re2/re2.h>

#include "common/model/sample.hpp"

namespace ward::collector {
namespace {

/// The series of the alert, and those that do not have the label at all.
std::optional<Matcher> agreeing(const Label& label) {
  auto matcher = Matcher::make(Matcher::Op::regex, label.first, RE2::QuoteMeta(label.second) + "|");
  if (!matcher) return std::nullopt;
  return std::move(*matcher);
}

bool lives(const SeriesData& series) { return !series.samples.empty() && !is_stale(series.samples.back().v); }

}  // namespace

bool is_silent(const Queryable& store, std::vector<Matcher> selector, const Labels& instance, Time at, Heard heard,
               milliseconds keep) {
  for (const auto& label : instance)
    if (auto matcher = agreeing(label)) selector.push_back(std::move(*matcher));
  const auto recent = at - heard.within + milliseconds{1};
  const auto now_there = store.select(selector, recent, at);
  const auto is_heard = [&](const SeriesData& s) { return lives(s) && s.samples.size() >= heard.samples; };
  if (!now_there || std::any_of(now_there->begin(), now_there->end(), is_heard)) return false;
  const auto before = store.select(selector, at - keep, recent - milliseconds{1});
  if (!before) return false;
  const auto ended = [&](const Labels& labels) {
    return std::any_of(now_there->begin(), now_there->end(),
                       [&](const SeriesData& s) { return s.labels == labels && !s.samples.empty() && !lives(s); });
  };
  return std::any_of(before->begin(), before->end(), [&](const SeriesData& s) { return lives(s) && !ended(s.labels); });
}

}  // namespace ward::collector
