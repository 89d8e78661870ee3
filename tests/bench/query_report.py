"""Runs the query set on Ward's engine and on a Prometheus with the same samples, and compares the medians. Called by query.sh.

Prometheus is measured by its own clock (stats=all, execTotalTime), so that neither side pays for HTTP and JSON; what a client
waited stands beside it. The order is a round of each, twice, so that a noisy minute meets both. Exit code 1 when a query
takes more than half of the peer's time."""

import argparse
import http.client
import json
import subprocess
import sys
import time
import urllib.parse

TARGET = 0.5


def lines(program, *arguments):
    output = subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def median(values):
    return sorted(values)[len(values) // 2]


def ask(connection, query):
    parameters = {"query": query["query"], "stats": "all"}
    if query["start"] == query["end"]:
        path, parameters["time"] = "/api/v1/query", query["end"]
    else:
        path = "/api/v1/query_range"
        parameters |= {"start": query["start"], "end": query["end"], "step": query["step"]}
    before = time.perf_counter()
    connection.request("GET", path + "?" + urllib.parse.urlencode(parameters))
    answer = json.loads(connection.getresponse().read())
    waited = (time.perf_counter() - before) * 1e3
    if answer["status"] != "success":
        sys.exit(f"Prometheus refused {query['name']}: {answer}")
    data = answer["data"]
    return len(data["result"]), data["stats"]["timings"]["execTotalTime"] * 1e3, waited


def measure_peer(address, queries, rounds, into):
    connection = http.client.HTTPConnection(address)
    for query in queries:
        ask(connection, query)
        for _ in range(rounds):
            rows, inside, waited = ask(connection, query)
            into.setdefault(query["name"], []).append((rows, inside, waited))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--json")
    options = parser.parse_args()
    address = options.peer.removeprefix("http://")
    queries = lines(options.program, "--queries")
    ward, peer = {}, {}
    for _ in range(2):
        for row in lines(options.program, str(max(1, options.rounds // 2))):
            ward.setdefault(row["query"], []).append(row)
        measure_peer(address, queries, max(1, options.rounds // 2), peer)
    report, good = [], True
    print(f"  {'query':<22}{'rows':>5}{'Ward p50':>11}{'p99':>9}{'Prometheus p50':>16}{'its client':>12}{'ratio':>8}")
    for query in queries:
        name = query["name"]
        own = max(ward[name], key=lambda row: row["p50_ms"])  # of both rounds the slower one
        inside = median([sample[1] for sample in peer[name]])
        waited = median([sample[2] for sample in peer[name]])
        if own["rows"] != peer[name][0][0]:
            sys.exit(f"{name}: Ward found {own['rows']} rows, Prometheus {peer[name][0][0]}.")
        ratio = own["p50_ms"] / inside
        good = good and ratio <= TARGET
        report.append({"query": name, "ward_p50_ms": own["p50_ms"], "ward_p99_ms": own["p99_ms"], "ward_cpu_ms": own["cpu_ms"],
                       "peer_p50_ms": inside, "peer_client_p50_ms": waited, "ratio": ratio})
        print(f"  {name:<22}{own['rows']:>5}{own['p50_ms']:>8.2f} ms{own['p99_ms']:>9.2f}{inside:>13.2f} ms{waited:>12.2f}"
              f"{ratio:>8.3f}  {'ok' if ratio <= TARGET else 'OVER'}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(report, out, indent=2)
    sys.exit(0 if good else 1)


main()
