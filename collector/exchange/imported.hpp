#pragma once
#include <span>
#include <string>
#include <vector>

#include "collector/exchange/note.hpp"
#include "collector/exchange/yaml.hpp"
#include "common/base/result.hpp"
#include "common/config/node.hpp"

namespace ward::collector::exchange {

struct InputFile {
  std::string name;
  std::string text;
};

/// What a conversion made. Everything of the input that is not in it as it was has a note.
struct Imported {
  std::vector<Yaml> documents;  ///< of a rule file
  Yaml collector;               ///< for collector.yaml; null when there is nothing for it
  Notes notes;
};

/// All documents of all files, those within a Kubernetes List among them, as one sequence. Errors: invalid, every problem.
Result<std::vector<config::Node>> read_documents(std::span<const InputFile> files);

/// Sloth's `prometheus/v1`, PrometheusServiceLevel and AlertWindows. The period of the SLOs, which Sloth is told on its
/// command line, is that of the AlertWindows when there is one, else 30d. Errors: invalid for files that are no YAML.
Result<Imported> import_sloth(std::span<const InputFile> files);
/// Pyrra's ServiceLevelObjective v1alpha1.
Result<Imported> import_pyrra(std::span<const InputFile> files);
/// An Alertmanager configuration: routing into an Operations document, receivers for collector.yaml. No secret of it is
/// copied. Errors: invalid, also for more than one file and for one without any receiver that Ward can serve.
Result<Imported> import_alertmanager(std::span<const InputFile> files);

}  // namespace ward::collector::exchange
