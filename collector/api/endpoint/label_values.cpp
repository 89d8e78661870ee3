// GET /api/v1/label/NAME/values?match[]=&start=&end=&limit=: values of one label.
// Source: https://prometheus.io/docs/prometheus/latest/querying/api/#querying-label-values
#include <charconv>
#include <memory>
#include <optional>

#include "collector/api/label_query.hpp"

namespace ward::collector::api {
namespace {

using namespace prometheus;

constexpr std::string_view kBefore = "/api/v1/label/";
constexpr std::string_view kAfter = "/values";

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

/// A name that no path can hold comes as U__ and the code points of odd characters as _hex_, an underscore twice.
std::string unescape(std::string_view name) {
  if (!name.starts_with("U__")) return std::string(name);
  std::string out;
  for (std::size_t i = 3; i < name.size(); ++i) {
    if (name[i] != '_') {
      out += name[i];
      continue;
    }
    const auto end = name.find('_', i + 1);
    if (end == std::string_view::npos) return std::string(name);
    std::uint32_t point = 0;
    const auto digits = name.substr(i + 1, end - i - 1);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), point, 16);
    if (digits.empty()) {
      out += '_';
    } else if (error != std::errc{} || stop != digits.data() + digits.size() || point > 0x10ffff) {
      return std::string(name);
    } else {
      append_utf8(out, point);
    }
    i = end;
  }
  return out;
}

Result<http::ServerResponse> run(const View& view, const http::ServerRequest& request, Turn& turn) {
  const auto name =
      unescape(std::string_view(request.path).substr(kBefore.size(), request.path.size() - kBefore.size() - kAfter.size()));
  if (name.empty()) return prometheus_error(400, "bad_data", "invalid label name: \"\"");
  const auto query = label_query(request);
  if (!query) return prometheus_error(400, "bad_data", query.error().what);
  auto values = label_values_of(view.store(), *query, name, turn);
  if (!values) return fail(values.error());
  promql::Annotations notes;
  cut(*values, query->limit, notes);
  std::string data;
  append_texts(data, *values);
  return success(std::move(data), notes);
}

async::Task<http::ServerResponse> answer_label_values(View& view, http::ServerRequest request) {
  return on_worker(view, std::move(request), run);
}

}  // namespace

Endpoint label_values_endpoint() { return {"/api/v1/label/*/values", "Values of a label", answer_label_values}; }

}  // namespace ward::collector::api
