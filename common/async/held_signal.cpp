#include "common/async/held_signal.hpp"

#include <csignal>

namespace ward::async {
namespace {

void set_blocked(int number, int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(how, &set, nullptr);
}

}  // namespace

HeldSignal::HeldSignal(int number) : number_(number) { set_blocked(number, SIG_BLOCK); }
HeldSignal::~HeldSignal() { set_blocked(number_, SIG_UNBLOCK); }

}  // namespace ward::async
