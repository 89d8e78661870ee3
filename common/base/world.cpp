#include "common/base/world.hpp"

#include <random>
#include <stdexcept>
#include <sys/random.h>

namespace ward {
namespace {

class RealClock final : public Clock {
 public:
  Time wall() const override { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }
  MonoTime mono() const override { return std::chrono::steady_clock::now(); }
};

class RealRandom final : public Random {
 public:
  RealRandom() : engine_(std::random_device{}()) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace

std::unique_ptr<Clock> real_clock() { return std::make_unique<RealClock>(); }
std::unique_ptr<Random> real_random() { return std::make_unique<RealRandom>(); }

void fill_secure_random(std::span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto got = ::getrandom(out.data() + done, out.size() - done, 0);
    if (got <= 0) throw std::runtime_error("getrandom failed: the kernel gives no random bytes");
    done += static_cast<std::size_t>(got);
  }
}

}  // namespace ward
