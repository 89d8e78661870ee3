// An Alertmanager configuration into an Operations document and the receivers of collector.yaml.
// Source: Alertmanager's documentation of its configuration (0.28).
#include "collector/exchange/alertmanager.hpp"

namespace ward::collector::exchange {

Result<Imported> import_alertmanager(std::span<const InputFile> files) {
  if (files.size() != 1)
    return fail(Errc::invalid,
                "there are " + std::to_string(files.size()) + " files, and an Alertmanager has one configuration",
                "Import them one by one.");
  auto documents = read_documents(files);
  if (!documents) return fail(documents.error());
  Imported out;
  if (documents->size() != 1)
    return fail(Errc::invalid,
                files.front().name + " is no Alertmanager configuration: it has " + std::to_string(documents->size()) +
                    " YAML documents instead of one",
                "Name the file that --config.file of Alertmanager names.");
  Source config(documents->front(), "the configuration", out.notes);
  if (!config.has("route") || !config.has("receivers"))
    return fail(
        Errc::invalid,
        files.front().name + " is no Alertmanager configuration: it has no " + (config.has("route") ? "receivers" : "route"),
        "Name the file that --config.file of Alertmanager names.");
  auto receivers = read_am_receivers(config, out.notes);
  if (receivers.list.empty())
    return fail(Errc::invalid,
                "none of the receivers in " + files.front().name + " is of a kind that Ward has a channel for",
                "Add one with webhook_configs, pagerduty_configs, opsgenie_configs, slack_configs, msteamsv2_configs or "
                "email_configs.");
  const auto routing = read_am_routing(config, receivers, out.notes);
  config.drop({"templates"}, "Ward writes its pages itself, the same for every channel", "nothing is to be done");
  config.drop({"tracing"}, "Ward traces nothing", "nothing is to be done");
  config.close();

  auto spec = Yaml::map();
  if (!routing.intervals.empty()) spec.set("time_intervals", routing.intervals);
  if (!routing.inhibit_rules.empty()) spec.set("inhibit_rules", routing.inhibit_rules);
  spec.set("route", routing.route);
  out.documents.push_back(Yaml::map().set("apiVersion", "ward/v1").set("kind", "Operations").set("spec", std::move(spec)));

  auto list = Yaml::list();
  for (auto& receiver : receivers.list) list.add(std::move(receiver));
  for (const auto& name : routing.silent)  // a receiver must have a channel; nothing is ever sent there
    list.add(Yaml::map().set("name", name).set("webhook", Yaml::map().set("url", "http://127.0.0.1:9/")));
  out.collector = Yaml::map().set("receivers", std::move(list)).set("fallback_receiver", routing.root);
  return out;
}

}  // namespace ward::collector::exchange
