#include "collector/api/access.hpp"

#include <algorithm>
#include <array>

#include "collector/api/endpoint.hpp"
#include "common/http_access/bearer.hpp"

namespace ward::collector::api {
namespace {

constexpr std::size_t kLeastToken = 16;
constexpr std::array kScopes{Scope::acks, Scope::silences, Scope::alerts, Scope::reload};

bool names_this_machine(std::string_view host) {
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
    host = host.substr(0, colon);
  return host == "127.0.0.1" || host == "localhost" || host == "[::1]";
}

}  // namespace

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::none: return "none";
    case Scope::acks: return "acks";
    case Scope::silences: return "silences";
    case Scope::alerts: return "alerts";
    case Scope::reload: return "reload";
  }
  return "none";
}

std::string ApiAccess::tenant_of(std::string_view actor) const {
  const auto found = std::find_if(tokens.begin(), tokens.end(), [&](const Token& token) { return token.name == actor; });
  return found == tokens.end() ? std::string{} : found->tenant;
}

tl::expected<std::string, http::ServerResponse> ApiAccess::admit(const http::ServerRequest& request, Scope scope) const {
  const auto refuse = [](int status, std::string_view title, const std::string& detail) {
    return tl::unexpected<http::ServerResponse>{problem(status, title, detail)};
  };
  const auto header = request.header("authorization");
  if (header.empty() && open) {
    // What a proxy hands on, or a page whose name was made to lead here, is not of this machine.
    if (!names_this_machine(request.header("host")))
      return refuse(403, "Forbidden", "Without a token this is for 127.0.0.1 and localhost: add one under api.tokens.");
    // A form or a script of any page may post plain text to this machine; application/json it may not.
    if (request.method == "POST" && !request.header("content-type").starts_with("application/json"))
      return refuse(415, "Unsupported media type", "Send the header 'Content-Type: application/json'.");
    return "local " + request.peer.substr(0, request.peer.rfind(':'));
  }
  // Every token is looked at, so that the time tells nothing of which one was nearly right.
  const auto given = http::bearer(header);
  const Token* found = nullptr;
  for (const auto& token : tokens)
    if (http::same_secret(given, token.token)) found = &token;
  if (found == nullptr) {
    auto out = problem(401, "Unauthorized",
                       "This needs a token with the scope '" + std::string(to_string(scope)) +
                           "': send one of api.tokens in collector.yaml as 'Authorization: Bearer'.");
    out.headers.emplace_back("www-authenticate", "Bearer");
    return tl::unexpected<http::ServerResponse>{std::move(out)};
  }
  if (!found->scopes.contains(scope))
    return refuse(403, "Forbidden",
                  "The token '" + found->name + "' does not have the scope '" + std::string(to_string(scope)) +
                      "': add it under api.tokens in collector.yaml.");
  return found->name;
}

ApiAccess read_api_access(config::Section section, bool open) {
  ApiAccess out;
  out.open = open;
  for (auto& each : section.children("tokens")) {
    ApiAccess::Token token;
    token.name = each.text("name");
    const auto before = each.problems().list().size();
    token.token = each.secret("token");
    if (each.problems().list().size() == before && token.token.reveal().size() < kLeastToken)
      each.problems().add(each.at("token"), "the token is missing or has fewer than 16 characters",
                          "Write 'token: {file: PATH}' and fill the file with 'openssl rand -hex 32'.");
    for (const auto& name : each.texts("scopes")) {
      const auto scope = std::find_if(kScopes.begin(), kScopes.end(), [&](Scope one) { return name == to_string(one); });
      if (scope != kScopes.end())
        token.scopes.insert(*scope);
      else
        each.problems().add(each.at("scopes"), "the scope '" + name + "' does not exist",
                            "Choose acks, silences, alerts or reload.");
    }
    token.tenant = each.text("tenant", "");
    if (!token.tenant.empty() && token.scopes != std::set<Scope>{Scope::alerts})
      each.problems().add(each.at("tenant"), "a tenant binds the scope 'alerts' alone, and this token may do more",
                          "Give the tenant's Prometheus a token of its own with scopes: [alerts].");
    if (token.scopes.empty())
      each.problems().add(each.at("scopes"), "the token '" + token.name + "' may do nothing",
                          "Give it scopes: some of acks, silences, alerts, reload.");
    const auto same = [&](const ApiAccess::Token& other) {
      return other.name == token.name || (!token.token.empty() && other.token == token.token);
    };
    if (std::any_of(out.tokens.begin(), out.tokens.end(), same))
      each.problems().add(each.at("name"), "two tokens have one name or one text, so the audit could not tell them apart",
                          "Give each person or program a token of its own.");
    each.close();
    out.tokens.push_back(std::move(token));
  }
  section.close();
  return out;
}

}  // namespace ward::collector::api
