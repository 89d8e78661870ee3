#include "collector/housekeeping.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>
#include <utility>

#include "common/async/within.hpp"

namespace ward::collector {
namespace {

constexpr std::chrono::seconds kLookEvery{30};
constexpr std::chrono::seconds kOwnEvery{1};
constexpr int kReadAttempts = 12;  // of a part of the journal, at a start
constexpr std::chrono::seconds kBetweenAttempts{5};
constexpr std::size_t kOwnRecord = 1'000;  // samples
constexpr std::chrono::minutes kTidyEvery{10};
constexpr std::chrono::minutes kChunksEvery{120};         // data of a minute's interval fill one then
constexpr std::chrono::minutes kChunksEveryWhileFull{1};  // that may make room: agents wait
constexpr std::chrono::minutes kChunksEveryWhileFailing{10};
constexpr std::uint64_t kChunksAfterRows = 400'000;  // what a start would have to read

}  // namespace

async::Task<Result<std::uint64_t>> Housekeeping::replay() {
  std::uint64_t damaged = 0;
  int attempts = 0;
  while (context_.store.replaying()) {
    const auto some = std::make_shared<Result<std::uint64_t>>(0);
    const auto finished = std::make_shared<bool>(false);  // the io thread's; the job's result is not, until then
    context_.server.commits().look([this, some] { *some = context_.store.replay_some(); },
                                   [this, finished] {
                                     *finished = true;
                                     part_read_.wake();
                                   });
    while (!*finished) co_await part_read_.wait(kLookEvery);
    if (*some) {
      damaged += **some;
      attempts = 0;
      continue;
    }
    // A failed commit closes the journal, and the next one or an agent's greeting opens it again.
    const auto& error = some->error();
    if (error.code != Errc::unavailable || ++attempts > kReadAttempts) co_return fail(error);
    context_.log.error("The journal cannot be read on; it is tried again",
                       {{"error", error.what}, {"fix", error.fix}, {"attempt", attempts}});
    co_await async::sleep_for(kBetweenAttempts);
  }
  co_return damaged;
}

async::Task<void> Housekeeping::run() {
  auto stored = context_.clock.mono();
  auto tidied = stored;
  while (true) {
    co_await async::sleep_for(kLookEvery);
    const auto now = context_.clock.mono();
    const bool full = context_.server.disk_full().has_value();
    // Each attempt closes chunks: those of a store that fails all the time would be ever smaller.
    const bool many = !failed_ && !full && context_.store.journal->rows_since_chunks() >= kChunksAfterRows;
    const auto every = full ? kChunksEveryWhileFull : failed_ ? kChunksEveryWhileFailing : kChunksEvery;
    const bool store = many || now - stored >= every;
    if (!store && now - tidied < kTidyEvery) continue;
    tidied = now;
    if (store) stored = now;
    tidy(store);
  }
}

// Retention first: on a full disk that may be all the room there is.
void Housekeeping::tidy(bool store) {
  auto done = std::make_shared<Status>();
  context_.server.commits().relieve(
      [this, done, store, now = context_.clock.wall()] {
        const auto tidied = context_.store.tidy(now);
        if (store) *done = context_.volume.may_write();
        if (store && *done) *done = context_.store.store_chunks();
        if (*done) *done = tidied;
      },
      [this, done, store] {
        if (store) failed_ = !*done;
        if (!*done) tell_unstored(done->error());
        context_.server.offer_room();
      });
}

void Housekeeping::tell_unstored(const Error& error) {
  context_.log.error("Chunks could not be stored or old days not removed; it is tried again",
                     {{"error", error.what}, {"fix", error.fix}});
}

// No tenant can have this name (check_name), so no sender's stream is this one.
const TenantId& Housekeeping::own_tenant() {
  static const TenantId name{"_ward"};
  return name;
}

async::Task<void> Housekeeping::keep_own() {
  context_.store.sink.keep_own(true);
  while (true) {
    co_await async::sleep_for(kOwnEvery);
    const auto samples = context_.store.sink.take_own();
    // While the disk is full they stay in memory alone and go to disk with the chunks.
    if (samples.empty() || context_.server.disk_full()) continue;
    LocalBatch batch;
    batch.known = true;
    for (std::size_t at = 0; at < samples.size(); at += kOwnRecord) {
      const auto some = std::span{samples}.subspan(at, std::min(kOwnRecord, samples.size() - at));
      wire::Record record;
      record.samples.assign(some.begin(), some.end());
      const auto by_time = [](const wire::IdSample& a, const wire::IdSample& b) { return a.t < b.t; };
      const auto [first, last] = std::minmax_element(some.begin(), some.end(), by_time);
      record.t_min = first->t;
      record.t_max = last->t;
      record.digest = wire::digest(record.samples);
      batch.records.push_back(std::move(record));
    }
    auto writing = context_.server.local().write(own_tenant(), std::move(batch));
    const auto written = co_await std::move(writing);
    // Whether it is stored is open; once more does no harm. The server tells what is wrong with the disk.
    if (!written) context_.store.sink.keep_own_again(samples);
  }
}

async::Task<void> Housekeeping::adopt(std::vector<Day> foreign) {
  for (; !foreign.empty(); foreign.pop_back()) {
    const auto result = std::make_shared<Status>();
    const auto finished = std::make_shared<bool>(false);
    context_.server.commits().exclusive([this, result, day = foreign.back()] { *result = context_.store.adopt(day); },
                                        [finished] { *finished = true; });
    while (!*finished) co_await async::sleep_for(std::chrono::milliseconds{100});
    const auto name = DayFiles::name(foreign.back());
    if (*result)
      context_.log.info("A stored day of another journal was taken over", {{"file", name}});
    else
      context_.log.error("A stored day of another journal cannot be taken over; its samples are not seen",
                         {{"file", name}, {"error", result->error().what}, {"fix", result->error().fix}});
  }
}

void Housekeeping::save() {
  if (context_.store.replaying()) return;  // the next start reads the journal again
  auto done = context_.volume.may_write();
  if (done) done = context_.store.store_chunks();
  if (!done) tell_unstored(done.error());
}

}  // namespace ward::collector
