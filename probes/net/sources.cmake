list(APPEND PROBE_SOURCES net/report.cpp net/dial.cpp net/http_access.cpp net/start_tls.cpp net/dns_message.cpp)
