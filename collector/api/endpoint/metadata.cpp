// GET /api/v1/metadata?metric=&limit=&limit_per_metric=: type, help and unit of metrics, as agents tell them.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#querying-metric-metadata
#include <charconv>
#include <optional>

#include "collector/api/prometheus.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

/// -1 when absent; nullopt when it is no whole number.
std::optional<int> number(const http::ServerRequest& request, std::string_view name) {
  const auto text = parameter(request, name);
  if (text.empty()) return -1;
  int out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// Prometheus knows no "untyped" here.
std::string_view type_of(MetricType type) { return to_string(type == MetricType::untyped ? MetricType::unknown : type); }

void append_descriptions(std::string& out, const std::vector<MetricDescription>& descriptions, int limit) {
  out += '[';
  for (std::size_t i = 0; i < descriptions.size() && (limit <= 0 || i < static_cast<std::size_t>(limit)); ++i) {
    if (i > 0) out += ',';
    out += "{\"type\":";
    append_text(out, type_of(descriptions[i].type));
    out += ",\"help\":";
    append_text(out, descriptions[i].help);
    out += ",\"unit\":";
    append_text(out, descriptions[i].unit);
    out += '}';
  }
  out += ']';
}

Result<http::ServerResponse> run(const View& view, const http::ServerRequest& request, Turn&) {
  const auto limit = number(request, "limit");
  if (!limit) return prometheus_error(400, "bad_data", "limit must be a number");
  const auto per_metric = number(request, "limit_per_metric");
  if (!per_metric) return prometheus_error(400, "bad_data", "limit_per_metric must be a number");
  auto entries = view.metadata().read(parameter(request, "metric"));
  if (*limit >= 0 && entries.size() > static_cast<std::size_t>(*limit)) entries.resize(static_cast<std::size_t>(*limit));
  std::string data = "{";
  for (const auto& [metric, descriptions] : entries) {
    if (data.size() > 1) data += ',';
    append_text(data, metric);
    data += ':';
    append_descriptions(data, descriptions, *per_metric);
  }
  return success(data + "}");
}

async::Task<http::ServerResponse> answer_metadata(View& view, http::ServerRequest request) {
  return on_worker(view, std::move(request), run);
}

}  // namespace

Endpoint metadata_endpoint() { return {"/api/v1/metadata", "Types, help texts and units of metrics", answer_metadata}; }

}  // namespace ward::collector::api
