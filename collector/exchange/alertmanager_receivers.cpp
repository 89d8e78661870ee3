// Receivers of an Alertmanager configuration. Whatever may be a secret stays behind: a file is named instead, and a note
// says what to put there. Addresses of webhooks are copied only as far as they look like plain words.
#include <algorithm>
#include <array>
#include <optional>

#include "collector/exchange/address.hpp"
#include "collector/exchange/alertmanager.hpp"
#include "common/base/parse.hpp"

namespace ward::collector::exchange {
namespace {

constexpr auto kOwnWords = "Ward writes its pages itself, the same for every channel";
constexpr auto kNothing = "nothing is to be done";
constexpr auto kNoToken = "this channel has its own way to log in, or its address is not https";
constexpr auto kHttps = "see that its secret is right; for a webhook, serve it by https and add 'token'";

/// What receivers take from `global` where they say nothing themselves.
struct Defaults {
  std::string smarthost, from, hello, username;
  std::string password_file;  ///< "" with has_password: a literal stands there
  bool has_password = false;
  std::optional<bool> require_tls;
  bool has_slack_url = false;
  std::string slack_url_file;
  bool has_opsgenie_key = false;
  std::string opsgenie_key_file;
  std::string opsgenie_url, pagerduty_url;
  config::Position at;
};

class Receivers {
 public:
  explicit Receivers(Notes& notes) : notes_(notes) {}

  AmReceivers run(Source& config) {
    read_global(config.child("global", "global"));
    const auto nodes = config.items("receivers");
    for (const auto& node : nodes)
      for (const auto& [key, value] : node.entries())
        if (key == "name") taken_.insert(value.scalar());
    for (const auto& node : nodes) {
      Source named(node, "a receiver", notes_);
      name_ = named.text("name");
      whose_ = "receiver '" + name_ + "'";
      Source from(node, whose_, notes_);
      from.raw("name");
      read(std::move(from));
    }
    return std::move(out_);
  }

 private:
  using Channel = std::optional<Yaml>;
  struct Kind {
    std::string_view key;
    std::string_view channel;
    Channel (Receivers::*read)(Source&);
  };

  void read_global(Source from) {
    all_.at = from.at();
    all_.smarthost = from.text("smtp_smarthost");
    all_.from = from.text("smtp_from");
    all_.hello = from.text("smtp_hello");
    all_.username = from.text("smtp_auth_username");
    all_.has_password = from.has("smtp_auth_password") || from.has("smtp_auth_password_file");
    from.raw("smtp_auth_password");
    all_.password_file = from.text("smtp_auth_password_file");
    all_.require_tls = from.flag("smtp_require_tls");
    all_.has_slack_url = from.has("slack_api_url") || from.has("slack_api_url_file");
    from.raw("slack_api_url");
    all_.slack_url_file = from.text("slack_api_url_file");
    all_.has_opsgenie_key = from.has("opsgenie_api_key") || from.has("opsgenie_api_key_file");
    from.raw("opsgenie_api_key");
    all_.opsgenie_key_file = from.text("opsgenie_api_key_file");
    all_.opsgenie_url = from.text("opsgenie_api_url");
    all_.pagerduty_url = from.text("pagerduty_url");
    from.drop({"resolve_timeout"}, "Ward knows when an alert ends, since it evaluates the rules itself", kNothing);
    from.drop({"http_config"}, "Ward sets the way for each receiver",
              "write proxy and ca_file into the receivers that need them");
    from.drop({"smtp_auth_identity", "smtp_auth_secret", "smtp_tls_config"},
              "Ward logs in to mail servers with a name and a password",
              "write username, password and ca_file into the mail receivers");
    from.close();
  }

  void read(Source from) {
    static constexpr std::array<Kind, 7> kKinds{{{"pagerduty_configs", "pagerduty", &Receivers::pagerduty},
                                                 {"opsgenie_configs", "opsgenie", &Receivers::opsgenie},
                                                 {"webhook_configs", "webhook", &Receivers::webhook},
                                                 {"slack_configs", "slack", &Receivers::slack},
                                                 {"msteamsv2_configs", "teams", &Receivers::teams},
                                                 {"msteams_configs", "teams", &Receivers::connector},
                                                 {"email_configs", "email", &Receivers::email}}};
    out_.places.emplace(name_, from.at());
    std::vector<std::string> names;
    std::size_t integrations = 0;
    for (const auto& kind : kKinds) {
      std::size_t number = 0;
      for (const auto& node : from.items(kind.key)) {
        ++integrations;
        stem_ = file_name(name_) + "-" + std::string(kind.channel) + (++number > 1 ? "-" + std::to_string(number) : "");
        Source one(node, std::string(kind.key) + " of " + whose_, notes_);
        auto channel = (this->*kind.read)(one);
        if (one.flag("send_resolved") == false)
          notes_.changed(one.at("send_resolved"), "'send_resolved: false' of " + one.whose(),
                         "Ward tells the end to whoever heard of the beginning", kNothing);
        one.close();
        if (!channel) continue;
        names.push_back(new_name(names.empty(), kind.channel));
        out_.list.push_back(Yaml::map().set("name", names.back()).set(std::string(kind.channel), std::move(*channel)));
      }
    }
    integrations += drop_foreign(from);
    from.close();
    if (names.size() > 1) tell_of_several(from.at(), names);
    if (!names.empty() || integrations == 0) out_.names.emplace(name_, std::move(names));
  }

  void tell_of_several(const config::Position& at, const std::vector<std::string>& names) {
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
    notes_.changed(at, whose_ + " is now " + list, "a receiver of Ward has one channel",
                   "the routes name all of them; nothing is to be done");
  }

  std::string new_name(bool is_first, std::string_view channel) {
    if (is_first) return name_;
    const auto base = name_ + "-" + std::string(channel);
    auto out = base;
    for (std::size_t n = 2; !taken_.insert(out).second; ++n) out = base + "-" + std::to_string(n);
    return out;
  }

  /// Integrations that Ward has no channel for.
  std::size_t drop_foreign(Source& from) {
    std::size_t dropped = 0;
    for (const auto* key :
         {"discord_configs", "incidentio_configs", "jira_configs", "mattermost_configs", "pushover_configs",
          "rocketchat_configs", "sns_configs", "telegram_configs", "victorops_configs", "webex_configs", "wechat_configs"}) {
      if (!from.has(key)) continue;
      from.raw(key);
      ++dropped;
      notes_.lost(from.at(key), "'" + std::string(key) + "' of " + whose_, "Ward has no such channel",
                  "reach it by a webhook, or by channel alertmanager, which hands incidents to the Alertmanager you have");
    }
    return dropped;
  }

  // Secrets.

  /// {file: ...}: the file that the input names, else one to be written.
  Yaml secret(Source& from, const std::string& key, std::string_view ward_key, std::string_view what) {
    from.raw(key);
    return file_of(from.text(key + "_file"), from.at(key), ward_key, what);
  }
  Yaml file_of(const std::string& named, const config::Position& at, std::string_view ward_key, std::string_view what) {
    if (!named.empty()) return Yaml::map().set("file", named);
    const auto path = "secrets/" + stem_;
    notes_.secret(
        at, "'" + std::string(ward_key) + "' of " + whose_, "secrets are not copied",
        "put " + std::string(what) + " into the file " + path + " beside collector.yaml, readable by the collector alone");
    return Yaml::map().set("file", path);
  }

  // What all that speak HTTP have. `token`: where a bearer token goes, null when the channel has none.
  void read_http(Source& from, Yaml& channel, const char* token) {
    auto http = from.child("http_config", "http_config of " + whose_);
    auto authorization = http.child("authorization", "authorization of " + whose_);
    const auto type = authorization.text("type");
    const bool bearer = authorization.has("credentials") || authorization.has("credentials_file");
    if (bearer && token != nullptr && (type.empty() || type == "Bearer")) {
      channel.set(token, secret(authorization, "credentials", token, "the bearer token"));
    } else if (bearer) {
      authorization.raw("credentials");
      authorization.raw("credentials_file");
      notes_.lost(authorization.at(), "authorization of " + whose_, kNoToken, kHttps);
    }
    authorization.close();
    if (token != nullptr && (http.has("bearer_token") || http.has("bearer_token_file")))
      channel.set(token, secret(http, "bearer_token", token, "the bearer token"));
    else
      http.drop({"bearer_token", "bearer_token_file"}, kNoToken, kHttps);
    if (const auto proxy = http.text("proxy_url"); !proxy.empty()) {
      if (const auto way = address_of(proxy); way.whole)
        channel.set("proxy", way.safe);
      else
        notes_.secret(http.at("proxy_url"), "the proxy of " + whose_, "its address may hold a password",
                      "write it into 'proxy'");
    }
    auto tls = http.child("tls_config", "tls_config of " + whose_);
    if (const auto ca = tls.text("ca_file"); !ca.empty()) channel.set("ca_file", ca);
    tls.drop(
        {"cert_file", "key_file", "cert", "key", "ca", "server_name", "insecure_skip_verify", "min_version", "max_version"},
        "a channel of Ward has ca_file only, and always checks the certificate", "let a proxy in between do it");
    tls.close();
    http.drop({"basic_auth", "oauth2"}, "a channel of Ward logs in with its own key or a bearer token",
              "use a bearer token if the receiver takes one");
    http.drop({"follow_redirects", "enable_http2"}, "Ward follows no redirects, and needs no HTTP/2", kNothing);
    http.close();
  }

  Channel webhook(Source& from) {
    auto out = Yaml::map();
    const auto at = from.at("url");
    const bool by_file = from.has("url_file");
    from.raw("url_file");
    const auto address = address_of(from.text("url"));
    if (!address.whole)
      notes_.secret(
          by_file ? from.at("url_file") : at, "the address of " + whose_,
          by_file ? "Ward has it in its configuration" : "it may hold a secret",
          "write the whole address into 'url' of the receiver, instead of its placeholder; better let it take a token");
    const auto host = address.safe.empty() ? std::string("https://replace-me.invalid") : address.safe;
    out.set("url", address.whole ? host : host + "/replace-me");
    const bool open =
        host.starts_with("http://") && !host.starts_with("http://127.0.0.1") && !host.starts_with("http://localhost");
    read_http(from, out, open ? nullptr : "token");
    from.drop({"max_alerts", "timeout"}, "Ward sends at most 50 alerts of an incident, and has its own time limits",
              kNothing);
    return out;
  }

  Channel pagerduty(Source& from) {
    auto out = Yaml::map();
    const bool old = !from.has("routing_key") && !from.has("routing_key_file");
    if (old)
      notes_.changed(from.at("service_key"), "'service_key' of " + whose_, "Ward speaks Events API v2 only",
                     "make an integration of that kind in PagerDuty, and use its key");
    for (const auto* key : {"service_key", "service_key_file"}) from.raw(key);
    out.set("routing_key", secret(from, "routing_key", "routing_key", "the integration key of 32 characters"));
    auto url = from.text("url");
    if (url.empty()) url = all_.pagerduty_url;
    for (const std::string_view tail : {"/v2/enqueue", "/"})
      if (url.ends_with(tail)) url.resize(url.size() - tail.size());
    set_api_url(out, url, from);
    read_http(from, out, nullptr);
    from.drop({"client", "client_url", "description", "severity", "details", "images", "links", "component", "group",
               "class", "source", "timeout"},
              kOwnWords, kNothing);
    return out;
  }

  void set_api_url(Yaml& out, const std::string& url, Source& from) {
    if (url.empty()) return;
    if (const auto address = address_of(url); address.whole)
      out.set("url", address.safe);
    else
      notes_.secret(from.at(), "the address of the service of " + whose_, "it may hold a secret",
                    "write it into 'url' if it is not the usual one");
  }

  Channel opsgenie(Source& from) {
    auto out = Yaml::map();
    if (from.has("api_key") || from.has("api_key_file") || !all_.has_opsgenie_key)
      out.set("api_key", secret(from, "api_key", "api_key", "the key of an API integration"));
    else
      out.set("api_key", file_of(all_.opsgenie_key_file, from.at(), "api_key", "the key of an API integration"));
    auto url = from.text("api_url");
    if (url.empty()) url = all_.opsgenie_url;
    if (url.ends_with('/')) url.pop_back();
    set_api_url(out, url, from);
    auto responders = Yaml::list();
    for (const auto& node : from.items("responders")) {
      Source one(node, "a responder of " + whose_, notes_);
      const auto id = one.text("id");
      const auto user = one.text("username");
      auto name = one.text("name");
      if (name.empty()) name = user;
      auto type = one.text("type");
      one.close();
      if (type == "teams") type = "team";
      const bool plain =
          id.find("{{") == std::string::npos && name.find("{{") == std::string::npos && type.find("{{") == std::string::npos;
      if (!plain || (id.empty() && name.empty()) || type.empty()) {
        notes_.lost(one.at(), "a responder of " + whose_, "it is a template, or has no type or name", "write it out");
        continue;
      }
      auto responder = Yaml::map().set("type", type);
      responder.set(id.empty() ? "name" : "id", id.empty() ? name : id);
      responders.add(std::move(responder));
    }
    if (!responders.items().empty()) out.set("responders", std::move(responders));
    set_tags(out, from);
    read_http(from, out, nullptr);
    from.drop({"message", "description", "source", "details", "note", "entity", "actions", "priority", "update_alerts"},
              kOwnWords, kNothing);
    return out;
  }

  void set_tags(Yaml& out, Source& from) {
    const auto text = from.text("tags");
    auto tags = Yaml::list();
    bool template_in = false;
    for (std::string_view rest = text; !rest.empty();) {
      const auto comma = rest.find(',');
      const auto tag = trim(rest.substr(0, comma));
      template_in = template_in || tag.find("{{") != std::string_view::npos;
      if (!tag.empty()) tags.add(Yaml::text(tag));
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    if (template_in)
      notes_.lost(from.at("tags"), "tags of " + whose_, "they are templates", "write them out under 'tags'");
    else if (!tags.items().empty())
      out.set("tags", std::move(tags));
  }

  Channel slack(Source& from) {
    auto out = Yaml::map();
    const auto channel = from.text("channel");
    const bool own = from.has("api_url") || from.has("api_url_file");
    const auto url = from.text("api_url");
    auto http = from.child("http_config", "http_config of " + whose_);
    const bool bot = http.has("authorization");
    if (bot && !channel.empty()) {
      from.raw("api_url_file");
      read_http(from, out, "token");
      out.set("channel", channel);
    } else {
      const auto place = from.at("api_url");
      const auto file = from.text("api_url_file");
      out.set("webhook_url",
              file_of(own ? file : all_.slack_url_file, place, "webhook_url", "the address of the incoming webhook"));
      if (!channel.empty())
        notes_.lost(from.at("channel"), "'channel' of " + whose_, "an incoming webhook has its own channel",
                    "use token and channel of a bot instead: one message an incident, changed in place");
      read_http(from, out, nullptr);
    }
    from.drop({"username",     "color",      "title",    "title_link",  "pretext",    "text",         "fields",
               "short_fields", "footer",     "fallback", "callback_id", "icon_emoji", "icon_url",     "image_url",
               "thumb_url",    "link_names", "actions",  "mrkdwn_in",   "timeout",    "message_text", "update_message"},
              kOwnWords, kNothing);
    return out;
  }

  Channel teams(Source& from) {
    auto out = Yaml::map();
    out.set("webhook_url", secret(from, "webhook_url", "webhook_url", "the address of the workflow"));
    read_http(from, out, nullptr);
    from.drop({"title", "text", "summary"}, kOwnWords, kNothing);
    return out;
  }

  Channel connector(Source& from) {
    notes_.changed(from.at(), from.whose(),
                   "Ward speaks to workflows of Teams, and this is the address of a connector, which Microsoft has ended",
                   "make a workflow 'post to a channel when a webhook request is received', and use its address");
    return teams(from);
  }

  Channel email(Source& from) {
    const auto own_or = [&](const char* key, const std::string& fallback) {
      auto text = from.text(key);
      return text.empty() ? fallback : text;
    };
    auto out = Yaml::map();
    const auto server = own_or("smarthost", all_.smarthost);
    const auto sender = mail_address(own_or("from", all_.from));
    const auto to = addresses(from);
    const auto hello = own_or("hello", all_.hello);
    const auto username = own_or("auth_username", all_.username);
    set_server(out, server, from);
    const bool own_password = from.has("auth_password") || from.has("auth_password_file");
    if (!username.empty() && (own_password || all_.has_password)) {
      out.set("username", username);
      out.set("password", own_password
                              ? secret(from, "auth_password", "password", "the password of the mail account")
                              : file_of(all_.password_file, from.at(), "password", "the password of the mail account"));
    }
    for (const auto* key : {"auth_password", "auth_password_file"}) from.raw(key);
    from.drop({"auth_secret", "auth_identity"}, "Ward logs in to mail servers with a name and a password", "use them");
    if (sender) out.set("from", *sender);
    out.set("to", to);
    if (!hello.empty()) out.set("helo", hello);
    auto tls = from.child("tls_config", "tls_config of " + whose_);
    if (const auto ca = tls.text("ca_file"); !ca.empty()) out.set("ca_file", ca);
    tls.drop({"cert_file", "key_file", "server_name", "insecure_skip_verify", "min_version", "max_version"},
             "a mail receiver of Ward has ca_file only, and always checks the certificate", kNothing);
    tls.close();
    from.drop({"headers", "html", "text", "threading", "implicit_tls", "force_implicit_tls"}, kOwnWords, kNothing);
    if (!server.empty() && sender && !to.items().empty()) return out;
    notes_.lost(from.at(), from.whose(), "it has no server, no sender, or no address that is a plain one",
                "write an email receiver by hand");
    return std::nullopt;
  }

  Yaml addresses(Source& from) {
    auto out = Yaml::list();
    std::set<std::string> seen;
    const auto text = from.text("to");
    for (std::string_view rest = text; !rest.empty();) {
      const auto comma = rest.find(',');
      const auto address = mail_address(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
      if (address && seen.insert(*address).second)
        out.add(Yaml::text(*address));
      else if (!address)
        notes_.lost(from.at("to"), "an address of " + from.whose(), "it is no plain mail address",
                    "write it as name@clinic.example under 'to'");
    }
    return out;
  }

  void set_server(Yaml& out, const std::string& server, Source& from) {
    out.set("server", server);
    const auto place = from.at("require_tls");
    const bool required = from.flag("require_tls").value_or(all_.require_tls.value_or(true));
    const bool here = server.starts_with("localhost") || server.starts_with("127.") || server.starts_with("[::1]");
    if (server.ends_with(":465")) {
      out.set("security", "tls");
    } else if (required || !here) {
      out.set("security", "starttls");
      if (!required)
        notes_.changed(place, "'require_tls: false' of " + whose_, "Ward sends mail unencrypted to this machine only",
                       "see that " + server + " offers STARTTLS");
    } else {
      out.set("security", "none");
    }
  }

  Notes& notes_;
  AmReceivers out_;
  Defaults all_;
  std::set<std::string> taken_;
  std::string name_, whose_, stem_;
};

}  // namespace

AmReceivers read_am_receivers(Source& config, Notes& notes) { return Receivers{notes}.run(config); }

}  // namespace ward::collector::exchange
