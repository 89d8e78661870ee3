"""Random samples for the differential test, as OpenMetrics text.

No sample lies on a whole second, and queries ask at whole seconds for whole seconds: Prometheus 2.42 takes the far end of
a range with it, Prometheus 3 and Ward do not, and that difference is known."""

START = 1_700_000_000
SECONDS = 7200
PERIOD = 15
INSTANCES = ("a:1", "b:1", "c:2")
JOBS = ("web", "db")
BUCKETS = ("0.1", "0.5", "1.0", "2.5", "+Inf")


def times(random):
    """Every 15 s, a little late now and then; sometimes away for longer than a selector looks back."""
    away = random.choice((None, None, random.uniform(0, SECONDS)))
    jitter = random.choice((0, 0.2))
    offset = random.randrange(PERIOD)
    for n in range(SECONDS // PERIOD):
        at = offset + n * PERIOD
        if away is not None and away <= at < away + random.choice((60, 400, 900)):
            continue
        yield START + at + 0.137 + round(random.uniform(0, jitter), 3)


def counter(random, scale=1.0):
    value = random.choice((1e6, random.uniform(1e6, 1e9)))
    rate = random.choice((0.0, 0.3, 5.0)) * scale
    while True:
        value = 0.0 if random.random() < 0.01 else value + rate * random.uniform(0, 2 * PERIOD)
        yield value


def gauge(random):
    value = random.uniform(-50, 50)
    while True:
        value += random.uniform(-5, 5)
        yield value


def steps(random):
    value = random.randrange(5)
    while True:
        if random.random() < 0.2:
            value = random.randrange(-2, 5)
        yield float(value)


def special(random):
    while True:
        yield random.choice((1.5, -2.0, 0.0, float("nan"), float("inf"), float("-inf"), 1e300, 1e-300, 3.0))


def text(value):
    return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(repr(value), repr(value))


def series(random):
    """(name, labels, times, values) of each series."""
    for instance in INSTANCES:
        for job in JOBS:
            labels = {"instance": instance, "job": job}
            if random.random() < 0.1:
                continue
            for name, kind in (("requests_total", counter), ("temperature", gauge), ("load", gauge), ("level", steps)):
                yield name, labels | {"zone": random.choice("xyz")} if name == "load" else labels, times(random), kind(random)
            for code in ("200", "404", "500"):
                yield "errors_total", labels | {"code": code}, times(random), counter(random, 0.1)
            yield "build_info", labels | {"version": random.choice(("1.0", "1.1"))}, times(random), iter(lambda: 1.0, None)
            yield "odd", labels, times(random), special(random)
            yield from histogram(random, labels)


def histogram(random, labels):
    at = list(times(random))
    counts = [counter(random, 0.2) for _ in BUCKETS]
    rows = [[next(c) for c in counts] for _ in at]
    for n, le in enumerate(BUCKETS):
        yield "duration_seconds_bucket", labels | {"le": le}, iter(at), iter([float(int(sum(row[: n + 1]))) for row in rows])


def write(random, path):
    families = {}
    for name, labels, at, values in series(random):
        rows = families.setdefault(name, [])
        shown = ",".join(f'{k}="{v}"' for k, v in labels.items())
        rows.extend(f"{name}{{{shown}}} {text(v)} {t:.3f}" for t, v in zip(at, values))
    with open(path, "w", encoding="utf-8") as out:
        for name, rows in families.items():
            out.write(f"# TYPE {name} unknown\n")
            out.writelines(row + "\n" for row in rows)
        out.write("# EOF\n")
