list(APPEND PROBE_SOURCES generic/relabel.cpp generic/intake.cpp)
