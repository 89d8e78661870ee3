#!/usr/bin/env python3
"""The figures of tests/bench/page.sh: how long after the stop the page came, beside the peer, and the ratio. Exit code 1 above
a target: half an interval plus 0.2 s for the median, an interval plus 0.3 s for the 99th percentile (of 20 outages the worst)."""

import argparse
import json
import statistics
import sys


def quantile(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", help="lines of two numbers: Ward's and the peer's ms from the stop to the page")
    parser.add_argument("--interval", type=float, required=True, help="the probe's interval, s")
    parser.add_argument("--json", help="write the figures there too")
    options = parser.parse_args()
    with open(options.rounds, encoding="utf-8") as lines:
        rounds = [tuple(map(int, line.split())) for line in lines]
    targets = {"p50_s": options.interval / 2 + 0.2, "p99_s": options.interval + 0.3}
    sides = {name: sorted(ms / 1000 for ms in column) for name, column in zip(("ward", "peer"), zip(*rounds))}
    figures = {
        name: {"min_s": values[0], "p50_s": statistics.median(values), "p90_s": quantile(values, 0.9),
               "p99_s": quantile(values, 0.99)}
        for name, values in sides.items()
    }
    print(f"\nfrom the stop to the page ({len(rounds)} outages, a look each {options.interval:g} s)\n")
    print(f"{'':6}{'Ward':>10}{'peer':>10}{'ratio':>8}{'target':>8}")
    missed = []
    for key in ("min_s", "p50_s", "p90_s", "p99_s"):
        ward, peer = figures["ward"][key], figures["peer"][key]
        ratio = f"{ward / peer:8.3f}" if peer > 0 else f"{'-':>8}"
        print(f"{key[:-2]:6}{ward:9.2f}s{peer:9.2f}s{ratio}" + (f"{targets[key]:7.2f}s" if key in targets else ""))
        if key in targets and ward > targets[key]:
            missed.append(f"{key[:-2]} {ward:.2f} s is above {targets[key]:.2f} s")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({"outages": rounds, "targets": targets, **figures}, out, indent=1)
    for what in missed:
        print(f"bench: {what}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
