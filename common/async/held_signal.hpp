#pragma once

namespace ward::async {

/// Keeps a signal waiting while the process gets ready for it: one that comes before its handler is there neither ends the
/// process nor is lost. Threads that start meanwhile never receive it, so that it reaches the one that waits for it.
class HeldSignal {
 public:
  explicit HeldSignal(int number);
  ~HeldSignal();
  HeldSignal(const HeldSignal&) = delete;
  HeldSignal& operator=(const HeldSignal&) = delete;

 private:
  int number_;
};

}  // namespace ward::async
