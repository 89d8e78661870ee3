"""The figures of tests/bench/storage.sh: bytes a sample on disk beside Prometheus, memory a series, and the targets.

Exit code 1 when a target is missed."""

import argparse
import json
import pathlib
import sys

DISK = 2.0  # bytes a sample
MEMORY = 1_536  # bytes a series, two hours of 15 s samples
MANY = 4_096  # MiB for a million series


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--many", type=int, required=True)
    parser.add_argument("--json", help="write the figures there too")
    options = parser.parse_args()

    def read(name):
        return json.loads((options.folder / name).read_text(encoding="utf-8"))

    judged, figures = [], {}
    for step in (15, 60):
        ward = read(f"disk-{step}.json")
        peer = int((options.folder / f"peer-{step}").read_text()) / ward["samples"]
        figures[f"disk_{step}s"] = {**ward, "prometheus_bytes_per_sample": round(peer, 3)}
        print(f"on disk, each {step} s: {ward['bytes_per_sample']:.2f} bytes a sample, Prometheus {peer:.2f}, "
              f"ratio {ward['bytes_per_sample'] / peer:.2f} ({ward['samples']:,} samples, filing {ward['filing_ns_per_sample']:.0f} ns each)")
        judged.append((f"bytes a sample on disk, each {step} s", ward["bytes_per_sample"], DISK))
    for kind, series in (("memory", 100_000), ("memory-strangers", 100_000), ("memory", options.many)):
        if series == 0:
            continue
        memory = read(f"{kind}-{series}.json")
        figures[f"{kind}_{series}".replace("-", "_")] = memory
        whose = "ten a pod" if kind == "memory" else "each of a pod of its own"
        print(f"in memory, {series:,} series, {whose}: {memory['rss_bytes_per_series']:,.0f} bytes of RSS a series, of those "
              f"{memory['chunk_bytes_per_series']:,.0f} of chunks; RSS {memory['rss_mib']:,} MiB, peak with filing "
              f"{memory['peak_with_filing_mib']:,} MiB")
        if kind == "memory" and series == 100_000:
            judged.append(("bytes a series in memory", memory["rss_bytes_per_series"], MEMORY))
        elif series == 1_000_000:
            judged.append(("MiB of a million series, peak", memory["peak_mib"], MANY))
    print()
    for title, figure, target in judged:
        print(f"{title:40}{figure:>10,.2f}  target {target:>8,}  {'ok' if figure <= target else 'MISSED'}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(figures, out, indent=1)
    sys.exit(0 if all(figure <= target for _, figure, target in judged) else 1)


main()
