"""The figures of tests/bench/ingest.sh: samples a CPU second of each server, the ratio and the targets.

Of several turns Ward's is the one with the fewest samples a CPU second, the peer's the one with the most. Exit code 1 when
a target is missed."""

import argparse
import json
import sys

REMOTE_WRITE = 1_000_000  # samples a CPU second
STREAM = 3_000_000
RATIO = 8


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", help="lines of JSON as ward_load_ingest prints them, each with its side")
    parser.add_argument("--per-request", type=int, required=True)
    parser.add_argument("--json", help="write the figures there too")
    options = parser.parse_args()
    with open(options.figures, encoding="utf-8") as lines:
        turns = [json.loads(line) for line in lines]

    def of(side, choose):
        return choose((t for t in turns if t["side"] == side), key=lambda t: t["samples_per_cpu_s"])

    ward, peer, stream = of("ward", min), of("peer", max), of("stream", min)
    ratio = ward["samples_per_cpu_s"] / peer["samples_per_cpu_s"]
    rows = [
        ("samples a CPU second", "samples_per_cpu_s", "{:,.0f}"),
        ("samples a second", "samples_per_s", "{:,.0f}"),
        ("CPU, user, s", "user_s", "{:.2f}"),
        ("CPU, system, s", "system_s", "{:.2f}"),
        ("CPU until the series are made, s", "warm_cpu_s", "{:.2f}"),
        ("samples measured", "samples", "{:,}"),
        ("RSS at the end, MiB", "rss_kib", "{:.1f}"),
        ("RSS, peak, MiB", "peak_rss_kib", "{:.1f}"),
    ]
    print(f"\n{ward['series']:,} series, {options.per_request} samples a request, 4 connections\n")
    print(f"{'':34}{'Ward':>14}{'Prometheus':>14}{'Ward, stream':>14}")
    for title, key, form in rows:
        scale = 1024 if key.endswith("_kib") else 1
        print(f"{title:34}" + "".join(f"{form.format(side[key] / scale if scale > 1 else side[key]):>14}"
                                      for side in (ward, peer, stream)))
    judged = [
        ("remote write, samples a CPU second", ward["samples_per_cpu_s"], REMOTE_WRITE),
        ("remote write, times Prometheus", ratio, RATIO),
        ("stream, samples a CPU second", stream["samples_per_cpu_s"], STREAM),
    ]
    print()
    for title, figure, target in judged:
        form = "{:,.1f}" if target < 100 else "{:,.0f}"
        print(f"{title:38}{form.format(figure):>14}  target {form.format(target):>11}  {'ok' if figure >= target else 'MISSED'}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({"per_request": options.per_request, "ratio": ratio, "turns": turns}, out, indent=1)
    sys.exit(0 if all(figure >= target for _, figure, target in judged) else 1)


main()
