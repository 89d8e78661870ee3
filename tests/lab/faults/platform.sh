# Faults of the platform, and of Ward itself.
# shellcheck shell=bash

# A file system of 16 MiB, filled to 98 %. Disk pressure is the one pressure that harms nobody else on this machine.
break_PL8() {
  mkdir -p "$STATE/small"
  mountpoint -q "$STATE/small" || as_root mount -t tmpfs -o size=16m,mode=777 tmpfs "$STATE/small" ||
    die "mounting a small file system is not allowed here" "Run as root outside a restricted container."
  head -c 16450000 /dev/zero >"$STATE/small/fill"
}
heal_PL8() {
  rm -f "$STATE/small/fill"
}

# One of four agents dies: less than 30 %, so it is an agent that is missing, not the eyes of the platform.
break_MO1() { kill_agent edge-3; }
heal_MO1() { agent_start edge-3; }
break_MO2() {
  kill_agent edge-2
  kill_agent edge-3
}
heal_MO2() {
  agent_start edge-2
  agent_start edge-3
}
kill_agent() {
  local pid
  if pid=$(pid_of "agent-$1"); then kill -KILL "$pid"; fi
}

# A stopped collector keeps its connections open and says nothing: the worst way to die.
break_MO3() { kill -STOP "$(pid_of collector)"; }
heal_MO3() { kill -CONT "$(pid_of collector)"; }
