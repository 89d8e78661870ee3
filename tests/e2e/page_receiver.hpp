#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ward::test {

/// What an owner's phone would get: a webhook that keeps everything and, unless told otherwise, accepts it.
class PageReceiver {
 public:
  struct Page {
    std::string path;  ///< "/database"
    std::string body;
    std::string key{};  ///< Idempotency-Key
    std::chrono::steady_clock::time_point at;
  };
  /// Port 0 takes a free one.
  explicit PageReceiver(std::uint16_t port = 0);
  ~PageReceiver();
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::vector<Page> pages() const;
  /// Asked for the status of each answer, when the page is kept; on the receiver's thread.
  void answer_by(std::function<int(const Page&)> answer);
  /// Those of one status, "firing" or "resolved".
  [[nodiscard]] std::vector<Page> pages(const std::string& status) const;
  /// Everything that came, for the message of a failed assertion.
  [[nodiscard]] std::string text() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace ward::test
