"""Asks Ward and a Prometheus the same random queries over the same random samples, and shows where they differ. Called by
run.sh. Exit code 1 when any answer differs for a reason that is not in KNOWN."""

import argparse
import collections
import json
import math
import random
import re
import subprocess
import sys
import urllib.parse
import urllib.request

import queries

# Where Prometheus 2.42 is not the Prometheus 3 that Ward follows: name -> does it explain this query's difference?
KNOWN = {
    "stddev and stdvar of one NaN or Inf are 0 in 2.42": lambda query, found: re.search(r"\b(stddev|stdvar)\b", query)
    and "Ward NaN" in found,
    # Its window moves along with the steps although @ holds it; at an instant both agree.
    "predict_linear with @ over a range": lambda query, found: "predict_linear" in query and "@" in query,
    # Since then a series that begins in the window is continued towards zero by half a distance of its samples at most.
    "rate of a counter that begins at zero": lambda query, found: re.search(r"\b(rate|increase)\(", query) and near(found),
    "atan2 keeps the metric's name in 2.42": lambda query, found: "atan2" in query,
    # The two libraries reduce arguments that hold no fraction any more by different multiples of pi.
    "sin, cos and tan of huge numbers": lambda query, found: re.search(r"\b(sin|cos|tan)\(", query)
    and re.search(r"\b(cosh|sinh|exp|odd)\b|\^", query),
    # Go's conversion of these to an integer is not defined; Ward says NaN.
    "dates of NaN and Inf": lambda query, found: re.search(r"\b(minute|hour|month|year|day_of_\w+|days_in_month)\(", query)
    and "Ward NaN" in found,
    # 2.42 compensates a sum that left the doubles, and gets Inf - Inf.
    "sums beyond the doubles are NaN in 2.42": lambda query, found: re.search(r"Ward [-+]Inf, Prometheus NaN$", found)
    and re.search(r"\b(sum|avg|stddev|stdvar|deriv|predict_linear)", query),
}


def near(found):
    values = re.search(r"Ward (\S+), Prometheus (\S+)$", found)
    return values and math.isclose(float(values[1]), float(values[2]), rel_tol=0.1)


def ask_peer(url, query):
    path = "/api/v1/query_range" if "step" in query else "/api/v1/query"
    body = urllib.parse.urlencode(query).encode()
    try:
        with urllib.request.urlopen(url + path, body, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def ask_ward(program, samples, asked):
    lines = "".join(json.dumps(query) + "\n" for query in asked)
    output = subprocess.run([program, samples], input=lines, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def close(left, right):
    a, b = float(left), float(right)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    # Prometheus 3 and Ward sum as Kahan and Neumaier do, 2.42 not everywhere.
    return a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def by_labels(result):
    return {json.dumps(one["metric"], sort_keys=True): one.get("values") or [one["value"]] for one in result}


def difference(ward, peer):
    """One line that says how they differ; None when they agree. Texts of errors differ between versions."""
    if ward["status"] != peer["status"]:
        return f"Ward: {ward.get('error', 'an answer')}; Prometheus: {peer.get('error', 'an answer')}"
    if ward["status"] == "error":
        return None
    ward, peer = ward["data"], peer["data"]
    if ward["resultType"] != peer["resultType"]:
        return f"Ward gives a {ward['resultType']}, Prometheus a {peer['resultType']}"
    if ward["resultType"] in ("scalar", "string"):
        same = close(ward["result"][1], peer["result"][1])
        return None if same else f"Ward: {ward['result'][1]}; Prometheus: {peer['result'][1]}"
    mine, theirs = by_labels(ward["result"]), by_labels(peer["result"])
    for labels in sorted(mine.keys() | theirs.keys()):
        if labels not in mine or labels not in theirs:
            return f"only {'Ward' if labels in mine else 'Prometheus'} has {labels}"
        here, there = mine[labels], theirs[labels]
        if [t for t, _ in here] != [t for t, _ in there]:
            return f"{labels}: points at other times: {here[:3]} and {there[:3]}, {len(here)} and {len(there)} of them"
        for (at, a), (_, b) in zip(here, there):
            if not close(a, b):
                return f"{labels} at {at}: Ward {a}, Prometheus {b}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--queries", type=int, required=True)
    options = parser.parse_args()
    generator = queries.Generator(random.Random(options.seed + 1))
    asked = [generator.query() for _ in range(options.queries)]
    answers = ask_ward(options.program, options.samples, asked)
    counts = collections.Counter()
    for query, ward in zip(asked, answers, strict=True):
        peer = ask_peer(options.peer, query)
        found = difference(ward, peer)
        if found is None:
            counts["refused by both" if ward["status"] == "error" else "equal"] += 1
            counts["with a result"] += 1 if ward["status"] == "success" and ward["data"]["result"] else 0
            continue
        reason = next((name for name, explains in KNOWN.items() if explains(query["query"], found)), None)
        counts[f"known: {reason}" if reason else "DIFFERENT"] += 1
        if reason is None:
            print(json.dumps(query) + "\n  " + found)
    print(f"seed {options.seed}: {len(asked)} queries; " + ", ".join(f"{n} {what}" for what, n in counts.most_common()))
    sys.exit(1 if counts["DIFFERENT"] else 0)


if __name__ == "__main__":
    main()
