// Takes the place of common/async's pool in this program: a job runs at once, on the thread that submits it. A run is then
// one thread's work, the same for the same seed, and a process can be ended between any two of its steps.
#include "common/async/blocking.hpp"

namespace ward::async {

BlockingPool::BlockingPool(Options options) : options_(options) {}
BlockingPool::~BlockingPool() = default;
void BlockingPool::submit(std::function<void()> job) { job(); }
std::size_t BlockingPool::threads() const { return 0; }

}  // namespace ward::async
