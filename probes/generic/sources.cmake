list(APPEND PROBE_SOURCES generic/intake.cpp)
