#include "collector/leadership/leadership.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "common/sqlite/changes.hpp"

namespace ward::collector {
namespace {

using std::chrono::seconds;

/// Changes of so many bytes are replaced by the file itself, or a takeover would have them all to apply.
constexpr std::uint64_t kImageAfter = 16 << 20;

std::optional<std::int64_t> read_number(const std::string& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

Result<sqlite::Database> open_file(const std::string& path) {
  sqlite::OpenOptions options;
  options.path = path;
  return sqlite::Database::open(options);
}

Status write_bytes(const std::string& path, std::span<const std::uint8_t> bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file) return {};
  return fail(Errc::unavailable, path + " cannot be written", "Check the folder, its permissions and the disk.");
}

}  // namespace

Leadership::Leadership(Options options, const Clock& clock, std::unique_ptr<SharedState> lease,
                       std::unique_ptr<SharedState> file)
    : options_(std::move(options)),
      clock_(clock),
      lease_(std::move(lease)),
      file_(std::move(file)),
      standing_(options_.lease),
      pulse_(clock.mono()) {}

Leadership::~Leadership() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Leadership::start() {
  thread_ = std::thread([this] { claim_on(); });
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return claimed_; });
}

Leadership::View Leadership::view() const {
  const std::lock_guard lock(mutex_);
  return {.role = standing_.role(),
          .cut_off = standing_.cut_off(clock_.mono()),
          .token = standing_.token(),
          .leader = standing_.last().holder,
          .address = standing_.last().address,
          .error = error_};
}

bool Leadership::may_act() const {
  const std::lock_guard lock(mutex_);
  return standing_.may_act(clock_.mono());
}

void Leadership::pulse() {
  const std::lock_guard lock(mutex_);
  pulse_ = clock_.mono();
}

void Leadership::claim_on() {
  for (;;) {
    claim_once();
    std::unique_lock lock(mutex_);
    claimed_ = true;
    wake_.notify_all();
    if (wake_.wait_for(lock, pause(), [this] { return stopping_; })) return;
  }
}

milliseconds Leadership::pause() const {
  // Thrice in a lease, so that one claim may be lost.
  const auto third = options_.lease / 3;
  return error_.empty() && standing_.role() == Role::leading ? third : std::min(third, milliseconds{1'000});
}

void Leadership::claim_once() {
  bool fresh = false;
  {
    const std::lock_guard lock(mutex_);
    if (standing_.role() == Role::lost || clock_.mono() - pulse_ > kAlive) return;
    fresh = fresh_;
  }
  auto asked = clock_.mono();
  auto answer = lease_->claim(options_.lease, fresh);
  if (!answer) {
    // A connection that died while nobody looked says nothing of the server. Only a new one does.
    asked = clock_.mono();
    answer = lease_->claim(options_.lease, fresh);
  }
  const std::lock_guard lock(mutex_);
  if (standing_.role() == Role::lost) return;
  error_ = answer ? "" : answer.error().what;
  if (!answer) return standing_.unreachable(clock_.mono());
  standing_.answered(*answer, asked);
  if (answer->mine) fresh_ = false;
}

Status Leadership::take_over() {
  const auto copy = file_->fetch();
  // A copy that cannot be read is no reason for nobody to page: what is here is older, and better than nothing.
  auto usable = copy ? use(*copy) : fail(copy.error());
  if (!usable && usable.error().code != Errc::corrupt) {
    const std::lock_guard lock(mutex_);
    standing_.step_back();
    fresh_ = true;
    return usable;
  }
  // Above all numbers of earlier leaders, so that what one of them left behind is never taken for a change of this one.
  number_ = view().token << 32;
  appended_ = false;
  ahead_ = true;
  {
    const std::lock_guard lock(mutex_);
    wants_image_ = true;
  }
  std::error_code none;
  if (!std::filesystem::exists(options_.state_file, none)) return usable;
  auto db = open_file(options_.state_file);
  const auto image = db ? sqlite::image_of(*db) : Result<std::vector<std::uint8_t>>{fail(db.error())};
  if (image) (void)keep(*image);  // else it is tried again when the store is open
  return usable;
}

/// Puts the copy in place of the local file, unless that is the newer one.
Status Leadership::use(const SharedCopy& copy) const {
  if (copy.image.empty()) return {};  // nobody has led yet
  const auto ahead = read_number(ahead_file());
  // Nobody has written since the local file went ahead.
  if (ahead && copy.token <= *ahead) return {};
  return bring(copy);
}

Status Leadership::bring(const SharedCopy& copy) const {
  const auto incoming = options_.state_file + ".incoming";
  std::error_code ignored;
  for (const auto* end : {"", "-wal", "-shm"}) std::filesystem::remove(incoming + end, ignored);
  if (auto written = write_bytes(incoming, copy.image); !written) return written;
  {
    auto db = open_file(incoming);
    if (!db) return fail(db.error());
    for (const auto& change : copy.changes)
      if (auto applied = sqlite::apply_changes(*db, change); !applied) return applied;
  }
  for (const auto* end : {"-wal", "-shm"}) std::filesystem::remove(options_.state_file + end, ignored);
  std::error_code error;
  std::filesystem::rename(incoming, options_.state_file, error);
  if (error)
    return fail(Errc::unavailable, options_.state_file + " cannot be replaced: " + error.message(),
                "Check the folder, its permissions and the disk.");
  std::filesystem::remove(ahead_file(), ignored);
  return {};
}

void Leadership::begin_again() {
  const std::lock_guard lock(mutex_);
  standing_.step_back();
  fresh_ = true;
}

void Leadership::release() {
  std::int64_t token = 0;
  {
    const std::lock_guard lock(mutex_);
    if (standing_.role() != Role::leading) return;
    token = standing_.token();
    standing_.fenced();  // so that the thread claims no more
  }
  (void)file_->release(token);
}

Status Leadership::changing(std::span<const std::uint8_t> changes) {
  appended_ = false;
  std::int64_t token = 0;
  bool cut_off = false;
  {
    const std::lock_guard lock(mutex_);
    if (standing_.role() != Role::leading)
      return fail(Errc::denied, "another collector leads, and only the leader stores", "Ask the leader.");
    if (!standing_.may_act(clock_.mono()))
      return fail(Errc::timed_out, "the lease has run out and nobody knows yet who leads", "It is asked at once.");
    token = standing_.token();
    cut_off = standing_.cut_off(clock_.mono());
  }
  if (ahead_ || changes.empty()) return {};
  if (cut_off) return mark_ahead();
  const auto done = file_->append(token, number_ + 1, changes);
  if (done) {
    appended_ = true;
    since_image_ += changes.size();
    return {};
  }
  {
    const std::lock_guard lock(mutex_);
    if (done.error().code == Errc::denied) {
      standing_.fenced();
      return done;
    }
    standing_.unreachable(clock_.mono());
    error_ = done.error().what;
  }
  return mark_ahead();
}

/// Before the file gets what the shared state does not have.
Status Leadership::mark_ahead() {
  const auto token = std::to_string(view().token) + "\n";
  if (auto noted = write_bytes(ahead_file(), {reinterpret_cast<const std::uint8_t*>(token.data()), token.size()}); !noted)
    return noted;
  ahead_ = true;
  const std::lock_guard lock(mutex_);
  wants_image_ = true;
  return {};
}

void Leadership::changed() {
  if (!std::exchange(appended_, false)) return;
  ++number_;
  if (since_image_ < kImageAfter) return;
  const std::lock_guard lock(mutex_);
  wants_image_ = true;
}

bool Leadership::wants_image() const {
  const std::lock_guard lock(mutex_);
  return wants_image_ && standing_.may_act(clock_.mono()) && !standing_.cut_off(clock_.mono());
}

Status Leadership::keep(std::span<const std::uint8_t> image) {
  const auto kept = file_->keep(view().token, number_, image);
  const std::lock_guard lock(mutex_);
  if (!kept) {
    if (kept.error().code == Errc::denied)
      standing_.fenced();
    else
      error_ = kept.error().what;
    return kept;
  }
  wants_image_ = false;
  ahead_ = false;
  since_image_ = 0;
  std::error_code ignored;
  std::filesystem::remove(ahead_file(), ignored);
  return {};
}

}  // namespace ward::collector
