// GET /api/ward/v1/audit?after=N&limit=N: acknowledgements, silences and reloads with who did them, each with the hash that
// chains it to the one before ('wardctl audit verify').
#include <nlohmann/json.hpp>

#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"
#include "common/base/parse.hpp"

namespace ward::collector::api {
namespace {

constexpr std::uint64_t kMost = 1'000;

async::Task<http::ServerResponse> answer_audit(View& view, http::ServerRequest request) {
  const auto number = [&](const char* name, std::uint64_t fallback) {
    const auto text = parameter(request, name);
    return text.empty() ? Result<std::uint64_t>{fallback} : to_u64(text);
  };
  const auto after = number("after", 0);
  const auto limit = number("limit", kMost);
  if (!after || !limit || *limit == 0 || *after > (std::uint64_t{1} << 62))
    co_return problem(400, "Bad request", "'after' and 'limit' must be whole numbers, and the limit more than 0.");
  auto reading = view.desk()->audit(*after, static_cast<std::size_t>(std::min(*limit, kMost)));
  const auto records = co_await std::move(reading);
  if (!records) co_return problem(503, "The audit cannot be read", describe(records.error()));
  auto list = nlohmann::ordered_json::array();
  for (const auto& r : *records)
    list.push_back({{"number", r.number},
                    {"at_ms", to_ms(r.entry.at)},
                    {"actor", r.entry.actor},
                    {"action", r.entry.action},
                    {"subject", r.entry.subject},
                    {"detail", r.entry.detail},
                    {"hash", r.hash}});
  http::ServerResponse response;
  response.body =
      nlohmann::ordered_json{{"records", std::move(list)}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
      "\n";
  co_return response;
}

}  // namespace

Endpoint audit_endpoint() { return {"/api/ward/v1/audit", "What people did, as a chain of hashes", answer_audit}; }

}  // namespace ward::collector::api
