list(APPEND PROBE_SOURCES
  host/real_host.cpp host/cpu.cpp host/memory.cpp host/pressure.cpp host/disk.cpp host/filesystem.cpp
  host/network.cpp host/netclass.cpp host/netstat.cpp host/kernel.cpp host/node_metrics.cpp)
