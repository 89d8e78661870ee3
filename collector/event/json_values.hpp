#pragma once
#include <nlohmann/json_fwd.hpp>

#include "common/model/labels.hpp"

namespace ward::collector {

/// The stored form of what JSON has no form for. For the .cpp files that write stored JSON alone.
nlohmann::json json_of(const Labels& labels);
/// The labels under a key; none when it is not there. Throws as nlohmann's readers do.
Labels labels_at(const nlohmann::json& object, const char* key);
/// JSON has no infinities, and an alert's value may well be one (a division by zero).
nlohmann::json json_of(double value);
double number_of(const nlohmann::json& value);

}  // namespace ward::collector
