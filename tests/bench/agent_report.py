"""Watches two sets of processes for the same time and compares what they cost. Called by agent.sh.

CPU is utime + stime of all threads from /proc/PID/stat; memory is read at the end of the window. Bytes a sample count only
the window, so that neither side pays for its first connection; the figure from the start on stands beside Ward's, because a
session begins by naming its series."""

import argparse
import json
import os
import sys
import time
import urllib.request

TARGETS = {"cpu": 0.25, "rss": 0.2, "bytes": 3.5}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    out = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            name, _, rest = line.partition(":")
            if name in ("Rss", "Anonymous"):
                out[name] = int(rest.split()[0]) / 1024
    return out


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def metric(text, name):
    """The sum over all series of a metric."""
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith((name + "{", name + " ")))


class Side:
    def __init__(self, pids):
        self.pids = dict(pair.split("=") for pair in pids)

    def begin(self):
        self.cpu = {name: cpu_seconds(pid) for name, pid in self.pids.items()}
        self.bytes, self.samples = self.traffic()

    def end(self, seconds):
        cpu = {name: cpu_seconds(pid) - self.cpu[name] for name, pid in self.pids.items()}
        held = {name: memory(pid) for name, pid in self.pids.items()}
        sent, samples = self.traffic()
        return {
            "cpu_seconds": round(sum(cpu.values()), 3),
            "core_percent": round(100 * sum(cpu.values()) / seconds, 3),
            "cpu_us_per_sample": round(1e6 * sum(cpu.values()) / max(1, samples - self.samples), 1),
            "rss_mib": round(sum(m["Rss"] for m in held.values()), 1),
            "anonymous_mib": round(sum(m["Anonymous"] for m in held.values()), 1),
            "samples": int(samples - self.samples),
            "bytes_per_sample": round((sent - self.bytes) / max(1, samples - self.samples), 3),
            "bytes_per_sample_since_start": round(sent / max(1, samples), 3),
            "series": int(self.series()),
            "processes": {name: {"cpu_seconds": round(cpu[name], 3), "rss_mib": round(held[name]["Rss"], 1),
                                 "anonymous_mib": round(held[name]["Anonymous"], 1)} for name in self.pids},
        }


class Ward(Side):
    def __init__(self, pids, metrics, collector):
        super().__init__(pids)
        self.metrics = metrics
        self.collector = collector

    def traffic(self):
        text = get(self.metrics)
        return metric(text, "ward_agent_uplink_sent_bytes_total"), metric(text, "ward_agent_uplink_sent_samples_total")

    def series(self):
        answer = json.loads(get(self.collector + "/api/v1/query?query=count(%7B__name__%3D~%22.%2B%22%7D)"))
        return float(answer["data"]["result"][0]["value"][1])


class Peer(Side):
    def __init__(self, pids, metrics, sink):
        super().__init__(pids)
        self.metrics = metrics
        self.sink = sink

    def traffic(self):
        return float(get(self.sink + "/received")), metric(get(self.metrics), "prometheus_remote_storage_samples_total")

    def series(self):
        return metric(get(self.metrics), "prometheus_agent_active_series")


def report(result):
    ward, peer, ratio = result["ward"], result["peer"], result["ratio"]
    print(f"{'':34}{'Ward':>12}{'peer':>12}{'ratio':>9}{'target':>9}")
    for name, unit, key in (("CPU, s", "cpu_seconds", "cpu"), ("CPU, % of a core", "core_percent", None),
                            ("CPU, us a sample", "cpu_us_per_sample", None), ("RSS, MiB", "rss_mib", "rss"),
                            ("anonymous RSS, MiB", "anonymous_mib", None), ("wire, B a sample", "bytes_per_sample", "bytes"),
                            ("wire since the start, B a sample", "bytes_per_sample_since_start", None),
                            ("samples", "samples", None), ("series", "series", None)):
        line = f"{name:34}{ward[unit]:>12}{peer[unit]:>12}{ward[unit] / max(peer[unit], 1e-9):>9.3f}"
        print(line + (f"{TARGETS[key]:>9}" if key and key != "bytes" else f"   <= {TARGETS['bytes']} B" if key else ""))
    for side in ("ward", "peer"):
        for name, one in result[side]["processes"].items():
            print(f"  {side} {name}: {one['cpu_seconds']} s CPU, {one['rss_mib']} MiB RSS, {one['anonymous_mib']} MiB anonymous")
    missed = [key for key, value in ratio.items() if value > TARGETS[key]]
    print("Targets met." if not missed else "Over target: " + ", ".join(missed) + ".")
    return not missed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--ward", action="append", metavar="NAME=PID", required=True)
    parser.add_argument("--peer", action="append", metavar="NAME=PID", required=True)
    for url in ("ward-metrics", "collector", "peer-metrics", "sink"):
        parser.add_argument("--" + url, required=True)
    parser.add_argument("--json")
    args = parser.parse_args()
    ward = Ward(args.ward, args.ward_metrics, args.collector)
    peer = Peer(args.peer, args.peer_metrics, args.sink)
    load = os.getloadavg()[0]
    begun = time.monotonic()
    ward.begin()
    peer.begin()
    time.sleep(args.seconds)
    seconds = time.monotonic() - begun
    result = {"ward": ward.end(seconds), "peer": peer.end(seconds), "seconds": round(seconds, 1), "load_before": round(load, 1),
              "targets": TARGETS}
    result["ratio"] = {"cpu": round(result["ward"]["cpu_seconds"] / max(result["peer"]["cpu_seconds"], 1e-9), 3),
                       "rss": round(result["ward"]["rss_mib"] / max(result["peer"]["rss_mib"], 1e-9), 3),
                       "bytes": result["ward"]["bytes_per_sample"]}
    good = report(result)
    if args.json:
        with open(args.json, "w", encoding="ascii") as f:
            json.dump(result, f, indent=1)
            f.write("\n")
    sys.exit(0 if good else 1)


main()
