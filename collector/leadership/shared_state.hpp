#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace ward::collector {

/// Who leads, as the shared state's own clock sees it.
struct LeaseAnswer {
  bool mine = false;
  std::int64_t token = 0;  ///< grows with every change of the leader; the fence of all writes
  std::string holder;      ///< name of the collector that leads
  std::string address;     ///< where people reach it
  friend bool operator==(const LeaseAnswer&, const LeaseAnswer&) = default;
};

/// The state file of whoever led last: an image, and what was changed since, in order.
struct SharedCopy {
  std::vector<std::uint8_t> image;  ///< empty: nobody has led yet
  std::int64_t token = 0;           ///< the highest one that wrote any of it
  std::int64_t number = 0;          ///< of the last change; the image's when there are none
  std::vector<std::vector<std::uint8_t>> changes;
  friend bool operator==(const SharedCopy&, const SharedCopy&) = default;
};

/// What two collectors share: a lease, and the state file of the one that holds it. Every call blocks, at most for the time
/// the adaptor was given, and costs the caller nothing else: Errc::unavailable when it cannot be reached, Errc::denied for
/// writes of a leader that another one has replaced. Thread: one at a time.
class SharedState {
 public:
  using Bytes = std::span<const std::uint8_t>;
  virtual ~SharedState() = default;
  /// Takes the lease for `ttl` when nobody has it or it has ended, or renews the caller's own under the same token. A
  /// collector that begins anew (`fresh`) does not renew what its former life held, but waits for its end like everybody:
  /// one that ends again and again as the leader must not keep the other one from leading.
  virtual Result<LeaseAnswer> claim(std::chrono::milliseconds ttl, bool fresh) = 0;
  /// Ends the lease at once when `token` is still the last; nothing otherwise.
  virtual Status release(std::int64_t token) = 0;
  /// Change `number` of the state file, 1 above the last; the same number again replaces it.
  virtual Status append(std::int64_t token, std::int64_t number, Bytes changes) = 0;
  /// The whole file after change `number`; all changes are dropped, those above it too: the file holds them, or they were
  /// given up.
  virtual Status keep(std::int64_t token, std::int64_t number, Bytes image) = 0;
  virtual Result<SharedCopy> fetch() = 0;
};

}  // namespace ward::collector
