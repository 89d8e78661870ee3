// wardctl pki init, issue and show: certificates for a house without an authority of its own.
#include "cli/pki/pki.hpp"

#include <CLI/App.hpp>
#include <memory>
#include <ostream>

#include "cli/command/command.hpp"
#include "cli/table.hpp"
#include "common/base/duration.hpp"

namespace ward::cli::command {
namespace {

constexpr auto kAuthority = "ca";
constexpr int kMaxDays = 36'500;

struct PkiOptions {
  std::string folder = "pki";
  std::string common_name = "Ward CA";
  std::string agent;
  std::vector<std::string> tenants;
  std::string collector;
  std::vector<std::string> hosts;
  std::string file;
  int days = 0;
  bool force = false;
  [[nodiscard]] pki::Existing existing() const { return force ? pki::Existing::replace : pki::Existing::keep; }
};

std::string day(Time t) { return format_time(t).substr(0, 10); }

std::string created(const pki::PairPaths& paths, Time until) {
  return "Created " + paths.certificate + " and " + paths.key + ", valid until " + day(until) + ".\n";
}

Status init(const PkiOptions& options, const Outside& outside) {
  const auto validity = pki::valid_for(outside.clock.wall(), std::chrono::days{options.days});
  const auto authority = pki::make_authority(options.common_name, validity);
  if (!authority) return fail(authority.error());
  const auto paths = pki::pair_paths(options.folder, kAuthority);
  if (auto saved = pki::save(*authority, paths, options.existing()); !saved) return saved;
  outside.out << created(paths, validity.not_after) << "Who has the key can speak for every agent: keep it offline.\n";
  return {};
}

Result<pki::LeafSpec> leaf_of(const PkiOptions& options, pki::Validity validity) {
  if (!options.collector.empty()) return pki::collector_leaf(options.collector, options.hosts, validity);
  std::vector<TenantId> tenants;
  for (const auto& tenant : options.tenants) tenants.emplace_back(tenant);
  return pki::agent_leaf(AgentId{options.agent}, tenants, validity);
}

Status check_choice(const PkiOptions& options) {
  if (options.agent.empty() == options.collector.empty())
    return fail(Errc::invalid, "A certificate is for one agent or one collector", "Give either --agent or --collector.");
  if (!options.agent.empty() && !options.hosts.empty())
    return fail(Errc::invalid, "An agent's certificate has no host names", "Remove --name.");
  if (!options.collector.empty() && !options.tenants.empty())
    return fail(Errc::invalid, "A collector's certificate has no tenants", "Remove --tenant.");
  return {};
}

Status issue(const PkiOptions& options, const Outside& outside) {
  if (auto good = check_choice(options); !good) return good;
  const auto validity = pki::valid_for(outside.clock.wall(), std::chrono::days{options.days});
  const auto spec = leaf_of(options, validity);
  if (!spec) return fail(spec.error());
  const auto authority = pki::load(pki::pair_paths(options.folder, kAuthority));
  if (!authority)
    return fail(authority.error().code, authority.error().what,
                authority.error().code == Errc::denied ? authority.error().fix
                                                       : "Run wardctl pki init, or name the folder with --dir.");
  const auto ca = pki::inspect(authority->certificate);
  if (!ca) return fail(ca.error());
  if (ca->validity.not_after < validity.not_after)
    return fail(Errc::invalid, "The authority ends on " + day(ca->validity.not_after) + ", before the certificate would",
                "Ask for fewer --days, or make a new authority.");
  const auto pair = pki::issue(*authority, *spec);
  if (!pair) return fail(pair.error());
  // The prefix keeps an agent called "ca" from replacing the authority.
  const auto name = options.agent.empty() ? "collector-" + options.collector : "agent-" + options.agent;
  const auto paths = pki::pair_paths(options.folder, name);
  if (auto saved = pki::save(*pair, paths, options.existing()); !saved) return saved;
  outside.out << created(paths, validity.not_after);
  return {};
}

std::string_view usage_text(pki::Usage usage) {
  switch (usage) {
    case pki::Usage::none: return "-";
    case pki::Usage::client: return "client";
    case pki::Usage::server: return "server";
    case pki::Usage::both: return "server, client";
  }
  return "-";
}

std::string left_text(const pki::Validity& validity, Time now) {
  if (now < validity.not_before) return " (not yet)";
  const auto left = std::chrono::floor<std::chrono::days>(validity.not_after - now).count();
  return left < 0 ? " (expired)" : " (" + std::to_string(left) + (left == 1 ? " day" : " days") + " left)";
}

Status show(const PkiOptions& options, const Outside& outside) {
  const auto pem = pki::read_certificate(options.file);
  if (!pem) return fail(pem.error());
  const auto info = pki::inspect(*pem);
  if (!info) return fail(info.error().code, "'" + options.file + "': " + info.error().what, info.error().fix);
  Table table{{}};
  table.add({"Subject", info->subject});
  table.add({"Issuer", info->issuer});
  table.add({"Kind", info->is_authority ? "authority" : "leaf"});
  table.add({"Use", std::string(usage_text(info->usage))});
  for (const auto& uri : info->uris) table.add({"Name", uri});
  for (const auto& host : info->hosts) table.add({"Host", host});
  table.add({"From", format_time(info->validity.not_before)});
  table.add({"Until", format_time(info->validity.not_after) + left_text(info->validity, outside.clock.wall())});
  table.add({"Serial", info->serial});
  table.add({"SHA-256", info->sha256});
  outside.out << table.to_text();
  return {};
}

}  // namespace

void add_pki(CLI::App& app, const Outside& outside, Status& outcome) {
  auto* command = app.add_subcommand("pki", "Make and look at certificates");
  command->require_subcommand(1);
  const auto options = [] { return std::make_shared<PkiOptions>(); };
  const auto add_common = [](CLI::App& to, PkiOptions& of, std::chrono::days days) {
    of.days = static_cast<int>(days.count());
    to.add_option("--dir", of.folder, "Folder of ca.crt and ca.key")->type_name("DIR")->capture_default_str();
    to.add_option("--days", of.days, "How long the certificate is valid")
        ->check(CLI::Range(1, kMaxDays))
        ->capture_default_str();
    to.add_flag("--force", of.force, "Replace files that exist");
  };

  auto* making = command->add_subcommand("init", "Make an authority");
  const auto init_options = options();
  add_common(*making, *init_options, pki::kCaDays);
  making->add_option("--common-name", init_options->common_name, "What the authority is called")->capture_default_str();
  making->callback([=, &outside, &outcome] { outcome = init(*init_options, outside); });

  auto* issuing = command->add_subcommand("issue", "Issue a certificate for an agent or a collector");
  const auto issue_options = options();
  add_common(*issuing, *issue_options, pki::kLeafDays);
  issuing->add_option("--agent", issue_options->agent, "The agent's name");
  issuing->add_option("--tenant", issue_options->tenants, "A tenant the agent speaks for; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  issuing->add_option("--collector", issue_options->collector, "The collector's name");
  issuing->add_option("--name", issue_options->hosts, "A host name or address agents connect to; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  issuing->callback([=, &outside, &outcome] { outcome = issue(*issue_options, outside); });

  auto* showing = command->add_subcommand("show", "Show what a certificate says");
  const auto show_options = options();
  showing->add_option("file", show_options->file, "A PEM file")->required()->type_name("FILE");
  showing->callback([=, &outside, &outcome] { outcome = show(*show_options, outside); });
}

}  // namespace ward::cli::command
