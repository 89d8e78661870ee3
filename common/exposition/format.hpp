#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace ward::exposition {

/// The two texts in which exporters show their metrics: Prometheus text 0.0.4 (and 1.0.0, which adds quoted names), and
/// OpenMetrics 1.0. Source: prometheus.io "Exposition formats", the OpenMetrics specification.
enum class Format : std::uint8_t { text, openmetrics };

/// By the answer's Content-Type. None at all is taken for text, as exporters from before OpenMetrics send it; nullopt for
/// any other media type (a web page, protobuf).
std::optional<Format> format_of(std::string_view content_type);

/// What a scraper sends as Accept, Prometheus' own preferences without protobuf.
inline constexpr std::string_view kAccept =
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

}  // namespace ward::exposition
