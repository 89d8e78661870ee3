# Faults of the platform, and of Ward itself.
# shellcheck shell=bash

# Four busy loops a core, at most 180 s, for the same priority as everybody else.
busy_loops() {
  for _ in $(seq $(($(nproc) * 4))); do
    (while :; do :; done) &
  done
  wait
}
break_PL8() {
  running pressure || start pressure timeout 180 bash -c "$(declare -f busy_loops); busy_loops"
}
heal_PL8() { stop pressure 3; }

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
