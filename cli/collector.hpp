#pragma once
#include <string>
#include <string_view>

#include "cli/outside.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace ward::cli {

/// Where the collector is and who asks.
struct CollectorOptions {
  std::string url;         ///< "" = WARD_COLLECTOR, else http://127.0.0.1:9802
  std::string token_file;  ///< "" = WARD_TOKEN_FILE, else no token
  std::string ca_file;     ///< "" = the system's store
  bool json = false;       ///< show the answer as it came
};

/// Asks a collector's HTTP API, one request at a time; blocks.
class Collector {
 public:
  /// Errc::invalid for an address that is no http(s) URL, or a token that would travel in the clear.
  static Result<Collector> open(CollectorOptions options, const Outside& outside);

  /// The body of a 200 answer. Everything else is an error that names the collector and says what to do.
  [[nodiscard]] Result<std::string> get(const std::string& path_and_query) const;
  /// The same for POST of a JSON body, and for DELETE.
  [[nodiscard]] Result<std::string> post(const std::string& path, std::string json) const;
  [[nodiscard]] Result<std::string> remove(const std::string& path) const;

 private:
  Collector(CollectorOptions options, Secret token, const Outside& outside);
  [[nodiscard]] Result<std::string> ask(http::Request request, const std::string& path_and_query) const;
  [[nodiscard]] Error explain(const http::Failure& failure) const;
  [[nodiscard]] Error explain(const http::Response& response, const std::string& path) const;

  CollectorOptions options_;
  Secret token_;
  const Outside* outside_;
};

/// Percent-encodes everything but RFC 3986's unreserved characters.
std::string url_encoded(std::string_view text);

}  // namespace ward::cli
