#include "collector/api/endpoint.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ward::collector::api {

#define WARD_ENTRY(folder, name) Endpoint name##_endpoint();
#include "collector/api/builtin.def"
#undef WARD_ENTRY

std::span<const Endpoint> all_endpoints() {
  static const std::vector<Endpoint> endpoints{
#define WARD_ENTRY(folder, name) name##_endpoint(),
#include "collector/api/builtin.def"
#undef WARD_ENTRY
  };
  return endpoints;
}

namespace {

/// A `*` in a route stands for one part of the path.
bool matches(std::string_view route, std::string_view path) {
  const auto star = route.find('*');
  if (star == std::string_view::npos) return route == path;
  const auto before = route.substr(0, star);
  const auto after = route.substr(star + 1);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after)) return false;
  return path.substr(star, path.size() - before.size() - after.size()).find('/') == std::string_view::npos;
}

bool takes(Methods methods, std::string_view method) {
  const bool reads = method == "GET" || method == "HEAD";
  switch (methods) {
    case Methods::get: return reads;
    case Methods::get_and_post: return reads || method == "POST";
    case Methods::get_and_delete: return reads || method == "DELETE";
    case Methods::post: return method == "POST";
  }
  return false;
}

struct Allowed {
  std::string_view header;
  std::string_view sentence;
};
Allowed allowed(Methods methods) {
  switch (methods) {
    case Methods::get: return {"GET, HEAD", "Use GET."};
    case Methods::get_and_post: return {"GET, HEAD, POST", "Use GET or POST."};
    case Methods::get_and_delete: return {"GET, HEAD, DELETE", "Use GET or DELETE."};
    case Methods::post: return {"POST", "Use POST."};
  }
  return {"GET, HEAD", "Use GET."};
}

http::ServerResponse wrong_method(Methods methods) {
  const auto may = allowed(methods);
  auto refused = problem(405, "Method not allowed", may.sentence);
  refused.headers.emplace_back("allow", may.header);
  return refused;
}

// What a request or a target said may be no UTF-8: dump() alone would throw.
std::string text_of(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

http::ServerResponse problem(int status, std::string_view title, std::string_view detail) {
  http::ServerResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = text_of(nlohmann::json{{"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}});
  return response;
}

http::ServerResponse prometheus_error(int status, std::string_view type, std::string_view error) {
  http::ServerResponse response;
  response.status = status;
  response.body = text_of(nlohmann::json{{"status", "error"}, {"errorType", type}, {"error", error}});
  return response;
}

std::string parameter(const http::ServerRequest& request, std::string_view name) {
  auto value = http::form_value(request.query, name);
  if (value.empty() && request.method == "POST") value = http::form_value(request.body, name);
  return value;
}

async::Task<http::ServerResponse> answer(View& view, http::ServerRequest request) {
  for (const auto& endpoint : all_endpoints()) {
    if (!matches(endpoint.path, request.path)) continue;
    if (!takes(endpoint.methods, request.method)) co_return wrong_method(endpoint.methods);
    const bool writes = endpoint.scope != Scope::none && request.method != "GET" && request.method != "HEAD";
    if (writes) {
      const auto actor = view.access()->admit(request, endpoint.scope);
      if (!actor) co_return actor.error();
    }
    co_return co_await endpoint.answer(view, std::move(request));
  }
  std::string known;
  for (const auto& endpoint : all_endpoints()) known += (known.empty() ? "" : ", ") + std::string(endpoint.path);
  co_return problem(404, "Not found", "There is no '" + request.path + "' here. Known: " + known + ".");
}

}  // namespace ward::collector::api
