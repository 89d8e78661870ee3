#pragma once
#include <cstddef>
#include <optional>
#include <vector>

#include "common/base/secret.hpp"
#include "common/base/time.hpp"
#include "common/model/ids.hpp"
#include "common/remote_write/write_request.hpp"

namespace ward::collector {

/// `remote_write_receiver` of collector.yaml.
struct RemoteWriteOptions {
  struct Token {
    TenantId tenant;
    Secret token;
  };
  std::vector<Token> tokens;
  std::optional<TenantId> open_tenant;                      ///< who writes without a token: only with `insecure` on loopback
  std::size_t max_body = 8 << 20;                           ///< bytes, compressed
  std::size_t max_unpacked = 64 << 20;                      ///< bytes
  std::size_t max_waiting = 256 << 20;                      ///< bytes, packed and unpacked, of all requests under way
  milliseconds out_of_order_window{std::chrono::hours{1}};  ///< how far behind its series' newest a sample may be
  remote_write::Limits limits;

  /// Each once.
  [[nodiscard]] std::vector<TenantId> tenants() const;
};

}  // namespace ward::collector
