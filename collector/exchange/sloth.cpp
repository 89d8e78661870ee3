// Sloth (prometheus/v1, PrometheusServiceLevel, AlertWindows) into openslo/v1 and BurnPolicy.
// Source: Sloth's documented specifications prometheus/v1, sloth.slok.dev/v1 and of alert windows.
#include <algorithm>
#include <optional>
#include <set>

#include "collector/exchange/imported.hpp"
#include "collector/exchange/slo_draft.hpp"
#include "collector/exchange/source.hpp"
#include "common/base/duration.hpp"
#include "common/base/parse.hpp"

namespace ward::collector::exchange {
namespace {

using config::Node;
using namespace std::chrono_literals;

/// Sloth's own ratio rules look at five minutes.
constexpr std::string_view kWindow = "5m";

/// The same keys in Sloth's own files and in its Kubernetes resources.
struct Spelling {
  std::string_view error_query, total_query, ratio_query, page_alert, ticket_alert;
};
constexpr Spelling kFile{"error_query", "total_query", "error_ratio_query", "page_alert", "ticket_alert"};
constexpr Spelling kResource{"errorQuery", "totalQuery", "errorRatioQuery", "pageAlert", "ticketAlert"};

enum class Told : std::uint8_t { both, page, ticket, none };

struct Windows {
  std::string name{};
  std::string period = "30d";
  std::vector<BurnDraft> pairs;  ///< pages first
  config::Position at{};
};

Windows sloth_default() {
  return {.name = "sloth-30d",
          .period = "30d",
          .pairs = {{.budget = "2%", .long_window = 1h, .short_window = 5min, .page = true},
                    {.budget = "5%", .long_window = 6h, .short_window = 30min, .page = true},
                    {.budget = "10%", .long_window = 24h, .short_window = 2h, .page = false},
                    {.budget = "10%", .long_window = 72h, .short_window = 6h, .page = false}},
          .at = {}};
}

/// Puts the window where Sloth's template says; nullopt when other templates are left.
std::optional<std::string> with_window(std::string query) {
  for (std::size_t at = 0; (at = query.find("{{", at)) != std::string::npos;) {
    const auto end = query.find("}}", at);
    if (end == std::string::npos || trim(std::string_view(query).substr(at + 2, end - at - 2)) != ".window")
      return std::nullopt;
    query.replace(at, end + 2 - at, kWindow);
  }
  return query;
}

class Sloth {
 public:
  Imported run(const std::vector<Node>& documents) {
    for (const auto& document : documents)
      if (kind_of(document) == "AlertWindows") read_windows(document);
    choose_windows();
    for (const auto& document : documents) read(document);
    for (const auto& windows : all_) write_policies(windows);
    return std::move(out_);
  }

 private:
  static std::string kind_of(const Node& document) {
    for (const auto& [key, value] : document.entries())
      if (key == "kind") return value.scalar();
    return {};
  }

  // Alert windows.

  std::optional<BurnDraft> read_pair(Source from, bool page) {
    BurnDraft pair{.page = page};
    const auto percent = to_double(from.text("errorBudgetPercent"));
    const auto long_window = parse_duration(from.text("longWindow"));
    const auto short_window = parse_duration(from.text("shortWindow"));
    from.close();
    const bool fine = percent && *percent > 0 && *percent <= 100 && long_window && short_window && *short_window >= 1min &&
                      *short_window < *long_window;
    if (!fine) {
      out_.notes.lost(from.at(), from.whose(),
                      "errorBudgetPercent, shortWindow and longWindow do not make a pair of windows",
                      "write the pair into the BurnPolicy");
      return std::nullopt;
    }
    std::string budget = format_share(*percent);
    pair.budget = std::move(budget);
    pair.long_window = *long_window;
    pair.short_window = *short_window;
    return pair;
  }
  static std::string format_share(double percent) {
    auto text = std::to_string(percent);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text + "%";
  }

  void read_windows(const Node& document) {
    Source from(document, "AlertWindows", out_.notes);
    from.raw("apiVersion");
    from.raw("kind");
    auto metadata = from.child("metadata", "metadata of AlertWindows");
    metadata.raw("name");
    metadata.close();
    auto spec = from.child("spec", "spec of AlertWindows");
    Windows windows;
    windows.at = document.at();
    windows.period = spec.text("sloPeriod");
    windows.name = "sloth-" + windows.period;
    for (const auto* kind : {"page", "ticket"}) {
      auto speeds = spec.child(kind, std::string("'") + kind + "' of AlertWindows");
      for (const auto* speed : {"quick", "slow"}) {
        if (!speeds.has(speed)) continue;
        auto pair = read_pair(speeds.child(speed, std::string("'") + speed + "' of " + speeds.whose()),
                              kind == std::string_view("page"));
        if (pair) windows.pairs.push_back(std::move(*pair));
      }
      speeds.close();
    }
    spec.close();
    from.close();
    const bool twice = std::any_of(all_.begin(), all_.end(), [&](const Windows& w) { return w.name == windows.name; });
    if (windows.pairs.empty() || !parse_duration(windows.period) || twice) {
      out_.notes.lost(
          document.at(), "these AlertWindows",
          twice ? "others of the input have the same sloPeriod" : "they have no sloPeriod, or no pair of windows",
          "write a BurnPolicy");
      return;
    }
    all_.push_back(std::move(windows));
  }

  void choose_windows() {
    if (all_.empty()) all_.push_back(sloth_default());
    const auto month = std::find_if(all_.begin(), all_.end(), [](const Windows& w) { return w.period == "30d"; });
    chosen_ = all_.size() == 1 || month == all_.end() ? 0 : static_cast<std::size_t>(month - all_.begin());
    if (all_.size() > 1)
      out_.notes.changed(all_[chosen_].at, "the period of all SLOs is " + all_[chosen_].period,
                         "Sloth is told the period on its command line and several AlertWindows are here",
                         "set timeWindow and alertPolicies where another period is meant");
  }

  void write_policies(const Windows& windows) {
    const bool used = &windows == &all_[chosen_];
    const auto write = [&](Told told, const std::string& suffix) {
      if (used && !told_.contains(told)) return;
      if (!used && told != Told::both) return;
      std::vector<BurnDraft> pairs;
      for (const auto& pair : windows.pairs)
        if (told == Told::both || pair.page == (told == Told::page)) pairs.push_back(pair);
      if (!pairs.empty()) out_.documents.push_back(burn_policy_document(windows.name + suffix, pairs));
    };
    write(Told::both, "");
    write(Told::page, "-page");
    write(Told::ticket, "-ticket");
  }

  // Service levels.

  void read(const Node& document) {
    const auto kind = kind_of(document);
    if (kind == "AlertWindows") return;
    Source from(document, kind.empty() ? "the file" : kind, out_.notes);
    if (kind == "PrometheusServiceLevel") {
      from.raw("apiVersion");
      from.raw("kind");
      auto metadata = from.child("metadata", "metadata");
      metadata.text("name");
      metadata.drop({"namespace", "labels", "annotations"}, "they are Kubernetes' and no part of the SLO",
                    "nothing is to be done");
      metadata.close();
      auto spec = from.child("spec", "spec of PrometheusServiceLevel");
      read_service(spec, kResource);
      from.drop({"status"}, "it is Sloth's own news", "nothing is to be done");
      from.close();
    } else if (kind.empty() && from.text("version") == "prometheus/v1") {
      read_service(from, kFile);
    } else {
      out_.notes.lost(document.at(), kind.empty() ? "this document" : "this document of kind " + kind,
                      "it is no Sloth file of version prometheus/v1, PrometheusServiceLevel or AlertWindows",
                      "import it with the tool it is of");
    }
  }

  void read_service(Source& from, const Spelling& keys) {
    const auto service = from.text("service");
    const auto labels = from.text_map("labels");
    from.drop({"sloPlugins", "slo_plugins"}, "plugins are programs of Sloth", "see what they add, and write it by hand");
    for (const auto& node : from.items("slos"))
      read_slo(Source(node, "an SLO of '" + service + "'", out_.notes), service, labels, keys);
    from.close();
  }

  void read_slo(Source from, const std::string& service, const SloDraft::Pairs& labels, const Spelling& keys) {
    SloDraft draft;
    draft.at = from.at();
    const auto name = from.text("name");
    draft.name = service.empty() ? name : service + "-" + name;
    draft.service = service.empty() ? name : service;
    draft.period = all_[chosen_].period;
    draft.description = from.text("description");
    draft.target_percent = from.text("objective");
    auto own = from.text_map("labels");
    own.insert(own.end(), labels.begin(), labels.end());
    const auto at_labels = from.at("labels");
    from.drop({"plugins"}, "plugins are programs of Sloth", "see what they add, and write it by hand");
    const bool counts = read_indicator(from.child("sli", "sli of SLO '" + draft.name + "'"), draft, keys);
    auto alerting = from.child("alerting", "alerting of SLO '" + draft.name + "'");
    const auto told = read_alerting(alerting, draft, keys);
    from.close();
    if (name.empty() || !is_target_percent(draft.target_percent)) {
      out_.notes.lost(draft.at, "an SLO of '" + service + "'",
                      "it has no name, or an objective that is not above 0 and below 100", "mend it and import again");
      return;
    }
    if (!counts || !is_new_name(names_, draft, out_.notes)) return;
    take_labels(draft, own, at_labels, out_.notes);
    take_grouping(draft, draft.indicator.group_by, draft.at, out_.notes);
    told_.insert(told);
    const auto& windows = all_[chosen_];
    const bool pages = std::any_of(windows.pairs.begin(), windows.pairs.end(), [](const BurnDraft& p) { return p.page; });
    const bool tickets = std::any_of(windows.pairs.begin(), windows.pairs.end(), [](const BurnDraft& p) { return !p.page; });
    switch (told) {
      case Told::both: draft.policy = windows.name; break;
      case Told::page: draft.policy = pages ? windows.name + "-page" : ""; break;
      case Told::ticket: draft.policy = tickets ? windows.name + "-ticket" : ""; break;
      case Told::none: break;
    }
    out_.documents.push_back(slo_document(draft));
  }

  std::string query(Source& from, std::string_view key, const SloDraft& draft, bool& fine) {
    const auto at = from.at(key);
    const auto text = from.text(key);
    auto query = with_window(text);
    if (query && !query->empty()) return *query;
    out_.notes.lost(at, "SLO '" + draft.name + "'",
                    text.empty() ? "its '" + std::string(key) + "' is missing"
                                 : "its '" + std::string(key) + "' holds a template other than {{.window}}",
                    "write the query out and import again");
    fine = false;
    return {};
  }

  bool read_indicator(Source from, SloDraft& draft, const Spelling& keys) {
    if (from.has("plugin")) {
      from.raw("plugin");
      out_.notes.lost(from.at("plugin"), "SLO '" + draft.name + "'", "its indicator is a plugin, a program of Sloth",
                      "write its queries as sli.events and import again");
      return false;
    }
    bool fine = true;
    Result<RatioIndicator> indicator = fail(Errc::invalid, "it has neither events nor raw", "");
    if (from.has("events")) {
      auto events = from.child("events", from.whose());
      const auto errors = query(events, keys.error_query, draft, fine);
      const auto total = query(events, keys.total_query, draft, fine);
      events.close();
      if (!fine) return false;
      indicator = events_indicator(errors, total, kWindow);
    } else if (from.has("raw")) {
      auto raw = from.child("raw", from.whose());
      const auto ratio = query(raw, keys.ratio_query, draft, fine);
      raw.close();
      if (!fine) return false;
      indicator = raw_indicator(ratio);
    }
    const auto at = from.at();
    from.close();
    if (!indicator) {
      out_.notes.lost(at, "SLO '" + draft.name + "'", "its indicator cannot be read: " + indicator.error().what,
                      "mend the query and import again");
      return false;
    }
    draft.indicator = std::move(*indicator);
    tell_of_indicator(draft, at);
    return true;
  }

  void tell_of_indicator(const SloDraft& draft, const config::Position& at) {
    if (draft.indicator.kind == RatioIndicator::Kind::raw)
      out_.notes.changed(at, "the indicator of SLO '" + draft.name + "'",
                         "it is no ratio of sum(rate(SELECTOR[{{.window}}])), so Ward asks it once a minute over " +
                             std::string(kWindow) + ", each minute weighs the same, and it has no history",
                         "write good or bad and total as selectors if you can");
    if (draft.indicator.dropped_zero)
      out_.notes.changed(at, "'or vector(0)' in SLO '" + draft.name + "'",
                         "an absent count of errors is none in Ward, and minutes without any event are unknown",
                         "nothing is to be done");
  }

  Told read_alerting(Source& from, SloDraft& draft, const Spelling& keys) {
    from.drop({"name"}, "an alert is named like its SLO", "name the SLO in routes and silences that match alertname");
    const auto drop_labels = [&](Source& of) {
      for (const auto& [name, value] : of.text_map("labels"))
        out_.notes.lost(of.at("labels"), "label '" + name + "' of " + of.whose(),
                        "alerts of an SLO have Ward's labels only, and class says how grave they are",
                        "match class or owner where a route matches it");
    };
    const auto at = from.at("annotations");
    drop_labels(from);
    const auto annotations = from.text_map("annotations");
    bool told[2] = {true, true};
    const std::string_view kinds[2] = {keys.page_alert, keys.ticket_alert};
    for (std::size_t i = 0; i < 2; ++i) {
      auto alert = from.child(kinds[i], std::string(kinds[i]) + " of SLO '" + draft.name + "'");
      told[i] = !alert.flag("disable").value_or(false);
      drop_labels(alert);
      const auto at_alert = alert.at("annotations");
      const auto own = alert.text_map("annotations");
      if (told[i]) take_annotations(draft, own, at_alert, out_.notes);
      alert.close();
    }
    take_annotations(draft, annotations, at, out_.notes);
    from.close();
    return told[0] ? (told[1] ? Told::both : Told::page) : (told[1] ? Told::ticket : Told::none);
  }

  Imported out_;
  std::vector<Windows> all_;
  std::size_t chosen_ = 0;
  std::set<std::string> names_;
  std::set<Told> told_;
};

}  // namespace

Result<Imported> import_sloth(std::span<const InputFile> files) {
  auto documents = read_documents(files);
  if (!documents) return fail(documents.error());
  return Sloth{}.run(*documents);
}

}  // namespace ward::collector::exchange
