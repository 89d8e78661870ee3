#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "collector/api/access.hpp"
#include "collector/api/view.hpp"
#include "common/http/server.hpp"

namespace ward::collector::api {

/// HEAD is always answered as GET is; POST without a scope only where a query is sent.
enum class Methods : std::uint8_t { get, get_and_post, get_and_delete, post };

/// One route: one file in endpoint/ and one line in builtin.def.
struct Endpoint {
  std::string_view path;  ///< a `*` stands for one part
  std::string_view help;
  async::Task<http::ServerResponse> (*answer)(View& view, http::ServerRequest request) = nullptr;
  Methods methods = Methods::get;
  Scope scope = Scope::none;  ///< what POST and DELETE need; the endpoint asks ApiAccess::admit() who that is
};

std::span<const Endpoint> all_endpoints();

/// Finds the endpoint and answers; unknown paths and other methods get problem+json.
async::Task<http::ServerResponse> answer(View& view, http::ServerRequest request);

/// RFC 9457: {"type", "title", "status", "detail"}.
http::ServerResponse problem(int status, std::string_view title, std::string_view detail);
/// Prometheus' error envelope: {"status":"error","errorType":...,"error":...}.
http::ServerResponse prometheus_error(int status, std::string_view type, std::string_view error);
/// A query parameter, or a field of a form body on POST.
std::string parameter(const http::ServerRequest& request, std::string_view name);

}  // namespace ward::collector::api
