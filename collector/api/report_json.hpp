#pragma once
#include <string>

#include "collector/review/alert_report.hpp"

namespace ward::collector::api {

/// The report as JSON; figures that nothing was measured for are null. Ends with '\n'.
std::string to_json(const review::AlertReport& report);

}  // namespace ward::collector::api
