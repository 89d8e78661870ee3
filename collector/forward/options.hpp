#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.hpp"
#include "common/config/node.hpp"
#include "common/http_access/http_access.hpp"
#include "common/relabel/relabel.hpp"
#include "common/remote_write/content.hpp"

namespace ward::collector {

/// One entry of `remote_write` in collector.yaml: a receiver of Prometheus' remote write that gets every sample.
struct ForwardTarget {
  struct Queue {
    std::uint64_t max_size = 1ULL << 30;  ///< bytes of records that wait; past it the oldest are dropped
    milliseconds max_age{0};              ///< older samples are dropped; 0 = none
    std::size_t shards = 4;
    std::size_t max_samples_per_send = 2'000;
    milliseconds batch_send_deadline{5'000};
    milliseconds min_backoff{30};
    milliseconds max_backoff{5'000};
  };
  std::string name;  ///< label `remote` of its metrics; its position in the queue goes by it
  std::string url;
  milliseconds remote_timeout{30'000};
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<RelabelRule> write_relabel;
  http::Credentials credentials;
  std::string authorization_type;  ///< with authorization_credentials; "" = none
  Secret authorization_credentials;
  http::ClientTls tls;
  std::string proxy;
  remote_write::Message message = remote_write::Message::v1;
  bool metadata = true;
  Queue queue;
};

/// Reads the list under `key`; mistakes become problems.
std::vector<ForwardTarget> read_forward_targets(config::Section& root, std::string_view key);

}  // namespace ward::collector
