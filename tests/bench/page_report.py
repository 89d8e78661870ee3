#!/usr/bin/env python3
"""The figures of tests/bench/page.sh: how long after `for` the page came, beside the peer, and the ratio."""

import argparse
import json
import statistics
import sys


def seconds_beyond(milliseconds, hold):
    """Seconds from the moment at which the outage had lasted as long as `for`, sorted."""
    return sorted(ms / 1000 - hold for ms in milliseconds)


def quantile(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", help="lines of two numbers: Ward's and the peer's ms from the stop to the page")
    parser.add_argument("--hold", type=float, required=True, help="the rule's `for`, s")
    parser.add_argument("--interval", type=float, required=True, help="the probe's interval, s")
    parser.add_argument("--json", help="write the figures there too")
    options = parser.parse_args()
    with open(options.rounds, encoding="utf-8") as lines:
        rounds = [tuple(map(int, line.split())) for line in lines]
    target = options.interval / 2 + 0.3
    sides = {name: seconds_beyond(column, options.hold) for name, column in zip(("ward", "peer"), zip(*rounds))}
    figures = {
        name: {"p50_s": statistics.median(values), "p90_s": quantile(values, 0.9), "max_s": values[-1]}
        for name, values in sides.items()
    }
    print(f"\nfrom the stop to the page, beyond for: {options.hold:g}s ({len(rounds)} outages)\n")
    print(f"{'':6}{'Ward':>10}{'peer':>10}{'ratio':>8}{'target':>8}")
    for key in ("p50_s", "p90_s", "max_s"):
        ward, peer = figures["ward"][key], figures["peer"][key]
        ratio = f"{ward / peer:8.3f}" if peer > 0 else f"{'-':>8}"
        print(f"{key[:-2]:6}{ward:9.2f}s{peer:9.2f}s{ratio}" + (f"{target:7.2f}s" if key == "p50_s" else ""))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({"rounds": len(rounds), "target_p50_s": target, **figures}, out, indent=1)
    if figures["ward"]["p50_s"] > target:
        print(f"bench: p50 {figures['ward']['p50_s']:.2f} s is above {target:.2f} s", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
