#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "collector/event/state.hpp"
#include "collector/leadership/standing.hpp"
#include "common/base/world.hpp"

namespace ward::collector {

/// One of two collectors that share their state: claims the lease on a thread of its own, and as the leader writes each
/// change of the state file there before the file has it, so that the other one can go on where this one ends.
///
/// While the shared state cannot be reached, the leader pages on and its file is ahead; a note beside the file says so, and
/// the whole file goes there once that is possible. Thread: as each function says.
class Leadership final : public StateMirror {
 public:
  struct Options {
    milliseconds lease{10'000};
    std::string state_file;
    std::int64_t schema = 0;  ///< the highest user_version of a state file that this Ward understands
  };
  /// `lease` is used by the claiming thread, `file` by the state store's.
  Leadership(Options options, const Clock& clock, std::unique_ptr<SharedState> lease, std::unique_ptr<SharedState> file);
  Leadership(const Leadership&) = delete;
  Leadership& operator=(const Leadership&) = delete;
  /// Ends the thread, then the lease, so that the other one need not wait for its end.
  ~Leadership() override;

  struct View {
    Role role = Role::waiting;
    bool cut_off = false;
    std::int64_t token = 0;
    std::string leader;   ///< name of who leads, as far as is known
    std::string address;  ///< where people reach it
    std::string error;    ///< why the last claim was not answered; "" when it was
    friend bool operator==(const View&, const View&) = default;
  };
  // Any thread.
  [[nodiscard]] View view() const;
  [[nodiscard]] bool may_act() const;
  /// The rest of the process lives: without this for `kAlive` it claims no more, and another one leads.
  void pulse();
  static constexpr std::chrono::seconds kAlive{30};

  // The thread of the start, while nothing has the state file open.
  /// Begins to claim, and returns after the first answer, or the first attempt that had none.
  void start();
  /// As the leader: puts the file of whoever led last in place of the local one, unless the local one is ahead of it. From
  /// here to the first keep() the local file is ahead. Errc::corrupt: the copy is no use, and it leads with the local file
  /// as it is. Any other error: it cannot work, gives the lease back, and claims again after the time of one.
  Status take_over();
  /// A new life after Role::lost.
  void begin_again();

  // The state store's thread.
  Status changing(std::span<const std::uint8_t> changes) override;
  void changed() override;
  /// Whether the whole file should be given to keep() now.
  [[nodiscard]] bool wants_image() const;
  Status keep(std::span<const std::uint8_t> image);

 private:
  void claim_on();
  void claim_once();
  [[nodiscard]] milliseconds pause() const;
  void hold_off();
  Status mark_ahead();
  Status use(const SharedCopy& copy) const;
  Status bring(const SharedCopy& copy) const;
  [[nodiscard]] std::string ahead_file() const { return options_.state_file + ".ahead"; }

  const Options options_;
  const Clock& clock_;
  std::unique_ptr<SharedState> lease_;
  std::unique_ptr<SharedState> file_;

  mutable std::mutex mutex_;  ///< of what stands below, up to the thread
  std::condition_variable wake_;
  Standing standing_;
  std::string error_;
  MonoTime pulse_;
  MonoTime holds_off_until_{};
  bool fresh_ = true;  ///< the next lease is one of a new life
  bool stopping_ = false;
  bool claimed_ = false;
  bool wants_image_ = false;
  std::thread thread_;

  // The state store's thread alone.
  bool ahead_ = false;  ///< the file has changes that the shared state does not have
  std::int64_t number_ = 0;
  bool appended_ = false;
  std::uint64_t since_image_ = 0;  ///< bytes
};

}  // namespace ward::collector
