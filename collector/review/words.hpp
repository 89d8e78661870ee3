#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "collector/event/incident.hpp"

namespace ward::collector::review {

/// "12m" or "2d3h": rounded down to what matters at that length; "0s" for nothing and less.
std::string lasting(milliseconds d);
/// `PostgresDown{instance="pg1", tenant="clinic-a"}`: its name and the labels that tell it apart, not those that every
/// alert has.
std::string name_of(const AlertEvent& alert);
/// "pg-main (tenant clinic-a)".
std::string place_of(const Incident& incident);
/// "3 alerts", "1 alert".
std::string count_of(std::size_t n, std::string_view thing);
/// "a, b and c".
std::string listed(const std::vector<std::string>& words);

}  // namespace ward::collector::review
