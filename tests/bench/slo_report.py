"""Measures the CPU of a Prometheus that evaluates the recording rules of some SLOs, and prints it beside what Ward's engine
took. Called by slo.sh. Exit code 1 above a target."""

import argparse
import json
import os
import sys
import time
import urllib.request

TARGETS = {200: 0.005, 1000: 0.02}
LEDGER_TARGET = 24 << 10
FLAT_TARGET = 2  # eight windows about 30 days, whose blocks are read from the disk, beside eight up to an hour


def metric(url, name):
    with urllib.request.urlopen(url + "/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(name):
                return float(line.rsplit(" ", 1)[1])
    return 0.0


def cpu_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def until(url, iterations):
    for _ in range(3000):
        now = metric(url, "prometheus_rule_group_iterations_total")
        if now >= iterations:
            return now
        time.sleep(0.2)
    sys.exit("Prometheus does not evaluate its rules.")


def measure_peer(url, pid, cycles):
    began = until(url, 2)  # the first one warms its caches
    if metric(url, "prometheus_rule_evaluation_failures_total") > 0:
        sys.exit("Prometheus failed to evaluate a rule.")
    cpu, at = cpu_of(pid), time.time()
    ended = until(url, began + cycles)
    missed = metric(url, "prometheus_rule_group_iterations_missed_total")
    return (cpu_of(pid) - cpu) / (ended - began), time.time() - at, missed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("state")
    parser.add_argument("--peer", required=True)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--peer-slos", type=int, required=True)
    parser.add_argument("--cycles", type=int, required=True)
    parser.add_argument("--json")
    options = parser.parse_args()
    peer, _, missed = measure_peer(options.peer, options.pid, options.cycles)
    peer_each = peer / options.peer_slos
    report, good = {"peer": {"slos": options.peer_slos, "cycle_cpu_s": peer, "missed": missed}, "ward": []}, True
    print(f"  Prometheus, {options.peer_slos} SLOs: {peer:.3f} CPU s a cycle, {peer_each * 1e3:.2f} ms an SLO")
    for slos, target in TARGETS.items():
        with open(f"{options.state}/ward-{slos}.json", encoding="utf-8") as file:
            row = json.load(file)
        flat = row["tick_about_30d_s"] / row["tick_up_to_1h_s"]
        ratio = row["tick_s"] / slos / peer_each
        fits = row["tick_s"] <= target and row["ledger_bytes"] <= LEDGER_TARGET and flat <= FLAT_TARGET
        good = good and fits
        report["ward"].append(row | {"ratio_per_slo": ratio, "flat": flat, "target_s": target})
        print(f"  Ward, {slos} SLOs: {row['tick_s'] * 1e3:.3f} CPU ms a cycle (worst {row['worst_tick_s'] * 1e3:.2f}; target {target * 1e3:.0f}), "
              f"an SLO {ratio:.6f} of the peer's; {row['series']} series; {'ok' if fits else 'OVER'}")
        print(f"    windows up to 1 h {row['tick_up_to_1h_s'] * 1e3:.3f} ms, about 30 d {row['tick_about_30d_s'] * 1e3:.3f} ms ({flat:.2f} times); "
              f"save {row['save_s'] * 1e3:.1f} ms; start {row['load_s']:.2f} s")
        print(f"    ledger {row['ledger_bytes'] / 1024:.1f} KiB (eight windows about 30 d: {row['ledger_bytes_about_30d'] / 1024:.1f}; target 24), "
              f"on disk {row['disk_bytes'] / 1024:.0f} KiB; a sample {row['sample_ns']:.0f} ns, one of no SLO {row['stranger_ns']:.1f} ns")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(report, out, indent=2)
    sys.exit(0 if good else 1)


main()
