#include "collector/archive.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace ward::collector {
namespace {

constexpr std::size_t kPiece = 50;         // incidents whose files are read while a commit waits
constexpr std::chrono::hours kStretch{6};  // of the past, to begin with
constexpr std::chrono::seconds kLeastStretch{1};
constexpr std::size_t kShownNames = 5;

Result<IncidentFile> file_of(IncidentLog& log, Incident incident) {
  auto decisions = log.decisions(incident.id);
  if (!decisions) return fail(decisions.error());
  auto deliveries = log.deliveries(incident.id);
  if (!deliveries) return fail(deliveries.error());
  return IncidentFile{std::move(incident), std::move(*decisions), std::move(*deliveries)};
}

Result<Incident> only_one(IncidentLog& log, const std::string& prefix) {
  auto found = log.named(prefix, kShownNames + 1);
  if (!found) return fail(found.error());
  if (found->empty())
    return fail(Errc::not_found, "there is no incident '" + prefix + "' among those of the last 90 days",
                "Look at the open ones with 'wardctl incidents', at older ones with 'wardctl incidents --since 30d'.");
  if (found->size() == 1 || found->front().id == prefix) return std::move(found->front());
  std::string names;
  for (std::size_t i = 0; i < std::min(found->size(), kShownNames); ++i) names += (i == 0 ? "" : ", ") + (*found)[i].id;
  return fail(Errc::invalid, "several incidents begin with '" + prefix + "': " + names, "Write more of the id.");
}

/// Ids are written in capitals; people are not.
std::string capitals(std::string id) {
  std::transform(id.begin(), id.end(), id.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return id;
}

}  // namespace

async::Task<Status> StateArchive::read(std::function<Status()> job) {
  auto reading = writer_.alone(std::move(job));
  const auto done = co_await std::move(reading);
  co_return done;
}

async::Task<Result<std::vector<Incident>>> StateArchive::incidents(Time since, Time until, std::size_t limit) {
  std::vector<Incident> out;
  auto* log = &log_;
  milliseconds stretch = kStretch;
  for (auto end = until; end > since && out.size() < limit;) {
    const auto begin = end - since > stretch ? end - stretch : since;
    const auto most = stretch > kLeastStretch ? std::min(limit - out.size(), kPiece + 1) : limit - out.size();
    auto piece = std::make_shared<std::vector<Incident>>();
    std::function<Status()> job = [log, piece, begin, end, most]() -> Status {
      auto found = log->opened(begin, end, most);
      if (!found) return fail(found.error());
      *piece = std::move(*found);
      return {};
    };
    const auto done = co_await read(std::move(job));
    if (!done) co_return fail(done.error());
    // Too many for one piece: a shorter stretch of the same time. A quiet past is gone through in few.
    if (piece->size() > kPiece && stretch > kLeastStretch) {
      stretch = std::max<milliseconds>(kLeastStretch, stretch / 8);
      continue;
    }
    if (piece->size() < kPiece / 4) stretch *= 2;
    out.insert(out.end(), std::make_move_iterator(piece->begin()), std::make_move_iterator(piece->end()));
    end = begin;
  }
  co_return out;
}

async::Task<Result<IncidentFile>> StateArchive::file(std::string id) {
  auto out = std::make_shared<IncidentFile>();
  auto* log = &log_;
  std::function<Status()> job = [log, out, id = capitals(std::move(id))]() -> Status {
    auto incident = only_one(*log, id);
    if (!incident) return fail(incident.error());
    auto whole = file_of(*log, std::move(*incident));
    if (!whole) return fail(whole.error());
    *out = std::move(*whole);
    return {};
  };
  const auto done = co_await read(std::move(job));
  if (!done) co_return fail(done.error());
  co_return std::move(*out);
}

async::Task<Result<std::vector<IncidentFile>>> StateArchive::files(Time since, Time until, std::size_t limit) {
  auto finding = incidents(since, until, limit);
  auto found = co_await std::move(finding);
  if (!found) co_return fail(found.error());
  auto left = std::make_shared<std::vector<Incident>>(std::move(*found));
  auto out = std::make_shared<std::vector<IncidentFile>>();
  auto* log = &log_;
  while (out->size() < left->size()) {
    std::function<Status()> job = [log, left, out]() -> Status {
      const auto end = std::min(left->size(), out->size() + kPiece);
      while (out->size() < end) {
        auto whole = file_of(*log, std::move((*left)[out->size()]));
        if (!whole) return fail(whole.error());
        out->push_back(std::move(*whole));
      }
      return {};
    };
    const auto done = co_await read(std::move(job));
    if (!done) co_return fail(done.error());
  }
  co_return std::move(*out);
}

async::Task<Result<std::vector<Decision>>> StateArchive::decisions(std::string alert) {
  auto out = std::make_shared<std::vector<Decision>>();
  auto* log = &log_;
  std::function<Status()> job = [log, out, alert = std::move(alert)]() -> Status {
    auto found = log->decisions(alert);
    if (!found) return fail(found.error());
    *out = std::move(*found);
    return {};
  };
  const auto done = co_await read(std::move(job));
  if (!done) co_return fail(done.error());
  co_return std::move(*out);
}

std::shared_ptr<const void> StateArchive::begin_report() {
  if (!report_.expired()) return nullptr;
  auto held = std::make_shared<const int>(0);
  report_ = held;
  return held;
}

}  // namespace ward::collector
