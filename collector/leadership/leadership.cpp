#include "collector/leadership/leadership.hpp"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <unistd.h>

#include "common/sqlite/changes.hpp"
#include "common/sqlite/files.hpp"

namespace ward::collector {
namespace {

using std::chrono::seconds;

/// Changes of so many bytes are replaced by the file itself, or a takeover would have them all to apply.
constexpr std::uint64_t kImageAfter = 16 << 20;

/// So that a rename is there after a power loss, too.
void sync_folder_of(const std::string& path) {
  const int folder = ::open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  (void)::fsync(folder);
  ::close(folder);
}

std::optional<std::int64_t> read_number(const std::string& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

/// On the disk for sure, under another name first: a note that is half there would be none.
Status write_file(const std::string& path, std::span<const std::uint8_t> bytes) {
  const auto fresh = path + ".new";
  if (auto removed = sqlite::remove_file("", fresh); !removed) return removed;
  {
    auto file = sqlite::File::open("", fresh, sqlite::File::Mode::create);
    if (!file) return fail(file.error());
    if (auto written = file->write(bytes, 0); !written) return written;
    if (auto synced = file->sync(); !synced) return synced;
  }
  std::error_code error;
  std::filesystem::rename(fresh, path, error);
  if (error)
    return fail(Errc::unavailable, path + " cannot be written: " + error.message(),
                "Check the folder, its permissions and the disk.");
  sync_folder_of(path);
  return {};
}

Result<sqlite::Database> open_file(const std::string& path) {
  sqlite::OpenOptions options;
  options.path = path;
  return sqlite::Database::open(options);
}

tl::unexpected<Error> unknown_leader() {
  return fail(Errc::timed_out, "the lease has run out and nobody knows yet who leads", "It is asked at once.");
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
  if (standing_.role() == Role::leading) (void)file_->release(standing_.token());
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
    const auto now = clock_.mono();
    if (standing_.role() == Role::lost || now - pulse_ > kAlive || now < holds_off_until_) return;
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
  auto usable = copy ? use(*copy) : fail(copy.error());
  // A copy that cannot be read is no reason for nobody to page: what is here is older, and better than nothing.
  Status noted;
  if (usable || usable.error().code == Errc::corrupt) noted = mark_ahead();
  if (!noted) usable = noted;
  if (!usable && usable.error().code != Errc::corrupt) {
    hold_off();
    return usable;
  }
  // Above all numbers of earlier leaders, so that what one of them left behind is never taken for a change of this one.
  number_ = view().token << 32;
  appended_ = false;
  return usable;
}

/// It leads and cannot work: the other one shall have the lease before this one asks again.
void Leadership::hold_off() {
  const auto token = view().token;
  begin_again();
  {
    const std::lock_guard lock(mutex_);
    holds_off_until_ = clock_.mono() + options_.lease;
  }
  (void)file_->release(token);
}

/// Puts the copy in place of the local file, unless that is the newer one.
Status Leadership::use(const SharedCopy& copy) const {
  if (copy.image.empty()) return {};  // nobody has led yet
  std::error_code none;
  const auto ahead = read_number(ahead_file());
  // The lease has come from this collector's own last turn, and nobody has written since its file went ahead.
  if (ahead && *ahead + 1 == view().token && copy.token <= *ahead && std::filesystem::exists(options_.state_file, none))
    return {};
  return bring(copy);
}

Status Leadership::bring(const SharedCopy& copy) const {
  const auto incoming = options_.state_file + ".incoming";
  for (const auto* end : {"", "-wal", "-shm"})
    if (auto removed = sqlite::remove_file("", incoming + end); !removed) return removed;
  if (auto written = write_file(incoming, copy.image); !written) return written;
  {
    auto db = open_file(incoming);
    if (!db) return fail(db.error());
    const auto schema = db->scalar("PRAGMA user_version");
    if (!schema) return fail(schema.error());
    if (*schema > options_.schema)
      return fail(Errc::invalid, "the shared state file is of a later Ward (schema " + std::to_string(*schema) + ")",
                  "Upgrade this collector too.");
    for (const auto& change : copy.changes)
      if (auto applied = sqlite::apply_changes(*db, change); !applied) return applied;
    // What is damaged must not take the place of what is not.
    const auto complaint = db->integrity_check();
    if (!complaint) return fail(complaint.error());
    if (!complaint->empty())
      return fail(Errc::corrupt, "the shared state file is damaged: " + *complaint, "This collector goes on with its own.");
  }
  for (const auto* end : {"-wal", "-shm"})
    if (auto removed = sqlite::remove_file("", options_.state_file + end); !removed) return removed;
  std::error_code error;
  std::filesystem::rename(incoming, options_.state_file, error);
  if (error)
    return fail(Errc::unavailable, options_.state_file + " cannot be replaced: " + error.message(),
                "Check the folder, its permissions and the disk.");
  sync_folder_of(options_.state_file);
  return {};
}

void Leadership::begin_again() {
  const std::lock_guard lock(mutex_);
  standing_.step_back();
  fresh_ = true;
}

Status Leadership::changing(std::span<const std::uint8_t> changes) {
  // The last change went there, and nobody said that the file has it, as after an I/O error: what a repetition changes is
  // only what is left of it, so the copy needs the whole file.
  if (std::exchange(appended_, false))
    if (auto noted = mark_ahead(); !noted) return noted;
  std::int64_t token = 0;
  bool cut_off = false;
  {
    const std::lock_guard lock(mutex_);
    if (standing_.role() != Role::leading)
      return fail(Errc::denied, "another collector leads, and only the leader stores", "Ask the leader.");
    if (!standing_.may_act(clock_.mono())) return unknown_leader();
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
    // A process that was stopped meanwhile knows nothing: only a claim tells whether the lease or the server is gone.
    if (!standing_.may_act(clock_.mono())) return unknown_leader();
    standing_.unreachable(clock_.mono());
    error_ = done.error().what;
  }
  return mark_ahead();
}

/// Before the file gets what the shared state does not have.
Status Leadership::mark_ahead() {
  const auto token = std::to_string(view().token) + "\n";
  if (auto noted = write_file(ahead_file(), {reinterpret_cast<const std::uint8_t*>(token.data()), token.size()}); !noted)
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
    if (kept.error().code == Errc::denied) standing_.fenced();
    return kept;
  }
  wants_image_ = false;
  ahead_ = false;
  appended_ = false;
  since_image_ = 0;
  return sqlite::remove_file("", ahead_file());
}

}  // namespace ward::collector
