#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ward::test {

/// What an owner's phone would get: a webhook that accepts everything and keeps it.
class PageReceiver {
 public:
  struct Page {
    std::string path;  ///< "/database"
    std::string body;
    std::chrono::steady_clock::time_point at;
  };
  /// Port 0 takes a free one.
  explicit PageReceiver(std::uint16_t port = 0);
  ~PageReceiver();
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::vector<Page> pages() const;
  /// Those of one status, "firing" or "resolved".
  [[nodiscard]] std::vector<Page> pages(const std::string& status) const;
  /// Everything that came, for the message of a failed assertion.
  [[nodiscard]] std::string text() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace ward::test
