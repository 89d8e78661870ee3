#include "collector/api/prometheus.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "collector/promql/parser.hpp"
#include "common/base/duration.hpp"
#include "common/http/gzip.hpp"

namespace ward::collector::api::prometheus {

namespace {

/// The number of seconds a parameter states, or nullopt when it is no plain number.
std::optional<double> seconds_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

constexpr double kMaxSeconds = 9'223'372'036'854'775.0;  // Prometheus' limit: ms in 63 bits

std::string refusal(std::string_view text, std::string_view kind) {
  return "cannot parse \"" + std::string(text) + "\" to a valid " + std::string(kind);
}

/// Here, because a large answer takes a while: the io thread has samples to take.
void compress(const http::ServerRequest& request, http::ServerResponse& response) {
  if (response.body.size() < http::kLeastGzip || response.body.size() > http::kMostGzip) return;
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (!http::accepts_gzip(request.header("accept-encoding"))) return;
  response.body = http::gzip(response.body);
  response.headers.emplace_back("Content-Encoding", "gzip");
}

}  // namespace

void append_text(std::string& out, std::string_view text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (plain) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  // Foreign bytes that are no UTF-8 become the replacement character, for every JSON reader would refuse them.
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_number(std::string& out, double v) {
  if (std::isnan(v)) return void(out += "NaN");
  if (std::isinf(v)) return void(out += v > 0 ? "+Inf" : "-Inf");
  const double size = std::fabs(v);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), v,
                                 exponent ? std::chars_format::scientific : std::chars_format::fixed)
                       .ptr;
  out.append(text.data(), end);
}

void append_seconds(std::string& out, Time t) {
  const auto ms = to_ms(t);
  const auto whole = ms / 1000;
  const auto rest = ms % 1000;
  std::array<char, 32> text{};
  int length = 0;
  if (rest == 0)
    length = std::snprintf(text.data(), text.size(), "%lld", static_cast<long long>(whole));
  else
    length = std::snprintf(text.data(), text.size(), "%s%lld.%03lld", ms < 0 ? "-" : "",
                           static_cast<long long>(std::llabs(whole)), static_cast<long long>(std::llabs(rest)));
  out.append(text.data(), static_cast<std::size_t>(length));
}

void append_point(std::string& out, Time t, double v) {
  out += '[';
  append_seconds(out, t);
  out += ",\"";
  append_number(out, v);
  out += "\"]";
}

void append_labels(std::string& out, const Labels& labels) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : labels) {
    if (!first) out += ',';
    first = false;
    append_text(out, name);
    out += ':';
    append_text(out, value);
  }
  out += '}';
}

Status Turn::grow(std::uint64_t bytes) {
  memory.take(bytes);
  if (gone != nullptr && *gone) return fail(Errc::cancelled, "query was canceled: its client has left", "Ask again.");
  return memory.check();
}

Status Turn::visit(std::uint64_t bytes) {
  constexpr std::size_t kLookEvery = 256;
  memory.take(bytes);
  if (memory.held() > max_bytes)
    return fail(Errc::overloaded,
                "query processing would use more than " + std::to_string(max_bytes >> 20) + " MiB of memory",
                "Ask for fewer series, with more matchers or a limit.");
  if (visited++ % kLookEvery != 0) return {};
  if (stopping != nullptr && *stopping)
    return fail(Errc::cancelled, "query was canceled: the collector stops", "Ask again.");
  if (clock != nullptr && timeout > milliseconds{0} && clock->mono() - arrived > timeout)
    return fail(Errc::timed_out, "query timed out", "Ask for fewer series.");
  return grow(0);
}

Status append_matrix(std::string& out, const promql::Matrix& matrix, Turn& turn) {
  auto counted = out.capacity();
  out += R"({"resultType":"matrix","result":[)";
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    out += i == 0 ? R"({"metric":)" : R"(,{"metric":)";
    append_labels(out, matrix[i].labels);
    out += R"(,"values":[)";
    for (std::size_t k = 0; k < matrix[i].samples.size(); ++k) {
      if (k > 0) out += ',';
      append_point(out, matrix[i].samples[k].t, matrix[i].samples[k].v);
    }
    out += "]}";
    if (auto room = turn.grow(out.capacity() - counted); !room) return room;
    counted = out.capacity();
  }
  out += "]}";
  return {};
}

void append_texts(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    append_text(out, texts[i]);
  }
  out += ']';
}

http::ServerResponse success(std::string data, const promql::Annotations& notes) {
  http::ServerResponse response;
  response.body = R"({"status":"success","data":)" + std::move(data);
  const auto add = [&](const char* name, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    response.body += std::string(",\"") + name + "\":";
    append_texts(response.body, texts);
  };
  add("warnings", notes.warnings);
  add("infos", notes.infos);
  response.body += "}\n";
  return response;
}

http::ServerResponse refused(const Error& error) {
  if (error.code == Errc::timed_out) return prometheus_error(503, "timeout", error.what);
  if (error.code == Errc::cancelled) return prometheus_error(503, "canceled", error.what);
  if (error.code == Errc::unavailable) {
    auto response = prometheus_error(503, "unavailable", error.what + ". " + error.fix);
    response.headers.emplace_back("retry-after", "1");
    return response;
  }
  return prometheus_error(422, "execution", error.what);
}

http::ServerResponse bad_parameter(std::string_view name, std::string_view why) {
  return prometheus_error(400, "bad_data", "invalid parameter \"" + std::string(name) + "\": " + std::string(why));
}

Result<Time> time_parameter(const http::ServerRequest& request, std::string_view name, Time fallback) {
  const auto text = parameter(request, name);
  if (text.empty()) return fallback;
  if (const auto seconds = seconds_of(text)) {
    if (std::fabs(*seconds) > kMaxSeconds) return fail(Errc::invalid, refusal(text, "timestamp"), "");
    return from_ms(static_cast<std::int64_t>(std::llround(*seconds * 1000)));
  }
  auto parsed = parse_time(text);
  if (!parsed) return fail(Errc::invalid, refusal(text, "timestamp"), "");
  return *parsed;
}

Result<milliseconds> duration_parameter(const http::ServerRequest& request, std::string_view name, milliseconds fallback) {
  const auto text = parameter(request, name);
  if (text.empty()) return fallback;
  if (const auto seconds = seconds_of(text)) {
    if (std::fabs(*seconds) > kMaxSeconds)
      return fail(Errc::invalid, refusal(text, "duration") + ". It overflows int64", "");
    return milliseconds{static_cast<std::int64_t>(std::llround(*seconds * 1000))};
  }
  auto parsed = parse_duration(text);
  if (!parsed) return fail(Errc::invalid, refusal(text, "duration"), "");
  return *parsed;
}

Result<std::size_t> limit_parameter(const http::ServerRequest& request) {
  const auto text = parameter(request, "limit");
  if (text.empty()) return std::size_t{0};
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail(Errc::invalid, "limit must be a whole number, not \"" + text + "\"", "");
  return limit;
}

Result<std::vector<std::vector<Matcher>>> selectors(const http::ServerRequest& request) {
  std::vector<std::vector<Matcher>> out;
  auto texts = http::form_values(request.query, "match[]");
  if (request.method == "POST")
    for (auto& text : http::form_values(request.body, "match[]")) texts.push_back(std::move(text));
  for (const auto& text : texts) {
    auto parsed = promql::parse_selector(text);
    if (!parsed) return fail(parsed.error());
    out.push_back(std::move(*parsed));
  }
  return out;
}

http::ServerResponse no_engine(const Error& error) {
  return error.code == Errc::timed_out ? refused(error) : prometheus_error(400, "bad_data", error.what);
}

async::Task<http::ServerResponse> on_worker(View& view, http::ServerRequest request, Work work) {
  const auto shared = std::make_shared<const http::ServerRequest>(std::move(request));
  const auto arrived = view.clock().mono();
  auto entering = view.gate().enter(shared->gone);
  auto place = co_await std::move(entering);
  if (!place) co_return refused(place.error());
  const auto lease = view.gate().lease();
  const auto max_bytes = view.gate().limits().query_bytes;
  auto job = [&view, shared, arrived, lease, max_bytes, work = std::move(work)]() -> Result<http::ServerResponse> {
    const auto options = view.engine().options();
    Turn turn{arrived, *lease, shared->gone.get(), max_bytes, &view.clock(), options.limits.timeout, options.stopping};
    auto response = work(view, *shared, turn);
    if (!response) return response;
    lease->settle(response->body.capacity());
    // Not whether the client has left: one that has only shut its own side down still reads, and all work is done.
    if (auto room = lease->check(); !room) return fail(room.error());
    compress(*shared, *response);
    lease->settle(response->body.capacity());
    response->held = lease;
    return response;
  };
  auto running = async::run_blocking(view.queries(), std::move(job));
  auto response = co_await std::move(running);
  if (response) co_return std::move(*response);
  view.gate().ended(response.error());
  co_return refused(response.error());
}

Result<promql::Engine> engine_for(const View& view, const http::ServerRequest& request, const Turn& turn) {
  auto options = view.engine().options();
  options.limits.max_bytes = turn.max_bytes;
  const auto timeout = duration_parameter(request, "timeout", options.limits.timeout);
  if (!timeout) return fail(Errc::invalid, "invalid parameter \"timeout\": " + timeout.error().what, "");
  if (*timeout > milliseconds{0}) options.limits.timeout = std::min(options.limits.timeout, *timeout);
  const auto waited = std::chrono::duration_cast<milliseconds>(view.clock().mono() - turn.arrived);
  if (waited >= options.limits.timeout) return fail(Errc::timed_out, "query timed out in query queue", "");
  options.limits.timeout -= waited;
  const auto lookback = duration_parameter(request, "lookback_delta", options.lookback);
  if (!lookback) return fail(Errc::invalid, "error parsing lookback delta duration: " + lookback.error().what, "");
  if (*lookback > milliseconds{0}) options.lookback = *lookback;
  return promql::Engine(view.clock(), options);
}

}  // namespace ward::collector::api::prometheus
