list(APPEND PROBE_SOURCES net/report.cpp net/dial.cpp net/start_tls.cpp net/dns_message.cpp)
