#include "common/async/blocking.hpp"

#include <algorithm>

namespace ward::async {

BlockingPool::BlockingPool(Options options) : options_(options) {}

BlockingPool::~BlockingPool() {
  std::vector<std::thread> all;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    all.swap(threads_);
    for (auto& thread : finished_) all.push_back(std::move(thread));
    finished_.clear();
  }
  wake_.notify_all();
  for (auto& thread : all) thread.join();
}

void BlockingPool::submit(std::function<void()> job) {
  std::vector<std::thread> finished;
  {
    const std::scoped_lock lock(mutex_);
    finished.swap(finished_);
    jobs_.push_back(std::move(job));
    if (idle_ < jobs_.size() && threads_.size() < options_.max_threads) threads_.emplace_back([this] { work(); });
  }
  wake_.notify_one();
  for (auto& thread : finished) thread.join();
}

std::size_t BlockingPool::threads() const {
  const std::scoped_lock lock(mutex_);
  return threads_.size();
}

void BlockingPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    const bool woken = wake_.wait_for(lock, options_.idle, [this] { return stopping_ || !jobs_.empty(); });
    --idle_;
    if (!jobs_.empty()) {
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
      continue;
    }
    if (stopping_) return;
    if (woken) continue;
    // Idle for long: leave, and let the next submit() join this thread.
    const auto self = std::find_if(threads_.begin(), threads_.end(),
                                   [](const std::thread& t) { return t.get_id() == std::this_thread::get_id(); });
    finished_.push_back(std::move(*self));
    threads_.erase(self);
    return;
  }
}

}  // namespace ward::async
