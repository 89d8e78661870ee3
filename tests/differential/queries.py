"""A generator of PromQL queries over the grammar, for the series of data.py.

What Prometheus 2.42 has no word for is left out: double_exponential_smoothing, mad_over_time, limitk, limit_ratio, info,
sort_by_label, histogram_avg and its kin, arithmetic between durations, quoted names. So is what has no one right answer
there: which of two equal values topk takes."""

import data

METRICS = {  # name -> labels
    "requests_total": ("instance", "job"),
    "temperature": ("instance", "job"),
    "load": ("instance", "job", "zone"),
    "level": ("instance", "job"),
    "errors_total": ("instance", "job", "code"),
    "build_info": ("instance", "job", "version"),
    "odd": ("instance", "job"),
    "duration_seconds_bucket": ("instance", "job", "le"),
}
LABELS = ("instance", "job", "zone", "code", "version", "le", "missing")
VALUES = {
    "instance": data.INSTANCES, "job": data.JOBS, "zone": tuple("xyz"), "code": ("200", "404", "500"),
    "version": ("1.0", "1.1"), "le": data.BUCKETS, "missing": ("", "x"),
}
PATTERNS = (".*", ".+", "a.*", "(a|b):1", "web|db", "[0-9]+", "w.b", "5..|404", "")
# Ranges and offsets in whole seconds; subquery steps of 10 s, evaluated 7 s beside them.
RANGES = ("1m", "90s", "5m", "7m30s", "20m", "1h")
STEPS = ("10s", "30s", "1m", "5m", "")
OFFSETS = ("30s", "5m", "-3m", "1h")
ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
COMPARISON = ("==", "!=", ">", "<", ">=", "<=")
OF_RANGE = ("rate", "increase", "irate", "delta", "idelta", "deriv", "changes", "resets", "avg_over_time", "min_over_time",
            "max_over_time", "sum_over_time", "count_over_time", "stddev_over_time", "stdvar_over_time", "last_over_time",
            "present_over_time", "absent_over_time")
OF_VECTOR = ("abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "sin", "cos", "tan", "asin", "acos", "atan",
             "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "deg", "rad", "absent", "timestamp", "minute", "hour", "month",
             "year", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "sort", "sort_desc", "round")
AGGREGATES = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")


class Generator:
    def __init__(self, random):
        self.random = random
        self.inside_subquery = False

    def one_of(self, choices):
        return self.random.choice(choices)

    def maybe(self, chance):
        return self.random.random() < chance

    def number(self):
        return self.one_of(("0", "1", "2", "-1", "0.5", "3.7", "1e3", "Inf", "NaN", "0x1F", "100"))

    def scalar(self, depth):
        if depth <= 0 or self.maybe(0.5):
            return self.number()
        return self.one_of((
            lambda: f"scalar({self.vector(depth - 1)})",
            lambda: "time()",
            lambda: "pi()",
            lambda: f"({self.scalar(depth - 1)} {self.one_of(ARITHMETIC)} {self.scalar(depth - 1)})",
            lambda: f"({self.scalar(depth - 1)} {self.one_of(COMPARISON)} bool {self.scalar(depth - 1)})",
            lambda: f"-{self.scalar(depth - 1)}",
        ))()

    def modifiers(self):
        out = ""
        if self.maybe(0.15):
            out += " offset " + self.one_of(OFFSETS)
        if self.maybe(0.1):
            out += " @ " + self.one_of(("start()", "end()", str(data.START + self.random.randrange(data.SECONDS))))
        return out

    def matchers(self):
        out = []
        for _ in range(self.one_of((0, 0, 1, 1, 2))):
            label = self.one_of(LABELS)
            if self.maybe(0.5):
                out.append(f'{label}{self.one_of(("=", "!="))}"{self.one_of(VALUES[label])}"')
            else:
                out.append(f'{label}{self.one_of(("=~", "!~"))}"{self.one_of(PATTERNS)}"')
        return "{" + ",".join(out) + "}" if out else ""

    def name(self):
        return self.one_of(tuple(METRICS))

    def selector(self):
        return self.name() + self.matchers()

    def matrix(self, depth):
        if depth > 0 and not self.inside_subquery and self.maybe(0.25):
            # The steps of one inside another would fall on the far ends of its ranges.
            self.inside_subquery = True
            inner = self.vector(depth - 1)
            self.inside_subquery = False
            step = self.one_of(STEPS)
            return f"({inner})[{self.one_of(RANGES)}:{step}]{self.modifiers()}"
        return f"{self.selector()}[{self.one_of(RANGES)}]{self.modifiers()}"

    def grouping(self):
        if self.maybe(0.3):
            return ""
        labels = ", ".join(self.random.sample(LABELS, self.one_of((0, 1, 1, 2))))
        return f' {self.one_of(("by", "without"))} ({labels})'

    def aggregate(self, depth):
        kind = self.random.random()
        inner = self.vector(depth - 1)
        if kind < 0.7:
            return f"{self.one_of(AGGREGATES)}{self.grouping()} ({inner})"
        if kind < 0.8:
            return f'quantile{self.grouping()} ({self.one_of(("0", "0.5", "0.9", "1", "2", "-1", "NaN"))}, {inner})'
        if kind < 0.9:
            return f'count_values{self.grouping()} ("value", level{self.matchers()})'
        # Values that are hardly ever equal.
        return f'{self.one_of(("topk", "bottomk"))}{self.grouping()} ({self.one_of("0123")}, temperature{self.matchers()})'

    def matching(self, lone):
        """Vectors of one metric match one to one; others need on() or ignoring() and sometimes a group."""
        if lone:
            return ""
        out = f' {self.one_of(("on", "ignoring"))} ({", ".join(self.random.sample(LABELS, self.one_of((1, 2, 3))))})'
        if self.maybe(0.4):
            include = ", ".join(self.random.sample(LABELS, self.one_of((0, 0, 1))))
            out += f' {self.one_of(("group_left", "group_right"))} ({include})'
        return out

    def binary(self, depth):
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        kind = self.random.random()
        if kind < 0.25:
            op = self.one_of(ARITHMETIC) if self.maybe(0.6) else self.one_of(COMPARISON) + self.one_of((" bool", ""))
            sides = [left, self.scalar(depth - 1)]
            self.random.shuffle(sides)
            return f"({sides[0]} {op} {sides[1]})"
        if kind < 0.45:
            on = "" if self.maybe(0.5) else f' {self.one_of(("on", "ignoring"))} ({self.one_of(LABELS)})'
            return f'({left} {self.one_of(("and", "or", "unless"))}{on} {right})'
        if kind < 0.75:  # two that do match
            name = self.one_of(("requests_total", "temperature", "level", "odd"))
            other = self.one_of(("requests_total", "temperature", "level", "odd"))
            op = self.one_of(ARITHMETIC) if self.maybe(0.6) else self.one_of(COMPARISON) + self.one_of((" bool", ""))
            return f"({name} {op}{self.matching(True)} {other})"
        if kind < 0.9:
            extra = self.one_of(("", "version"))
            return f"(errors_total {self.one_of(ARITHMETIC)} on (instance, job) group_left ({extra}) build_info)"
        op = self.one_of(ARITHMETIC) if self.maybe(0.6) else self.one_of(COMPARISON) + self.one_of((" bool", ""))
        return f"({left} {op}{self.matching(False)} {right})"

    def call(self, depth):
        kind = self.random.random()
        if kind < 0.5:
            function = self.one_of(OF_RANGE)
            return f"{function}({self.matrix(depth)})"
        if kind < 0.55:
            return f'quantile_over_time({self.one_of(("0", "0.3", "0.99", "1", "-1", "2"))}, {self.matrix(depth)})'
        if kind < 0.6:
            return f'predict_linear({self.matrix(depth)}, {self.one_of(("60", "-300", "3600"))})'
        if kind < 0.82:
            return f"{self.one_of(OF_VECTOR)}({self.vector(depth - 1)})"
        inner = self.vector(depth - 1)
        return self.one_of((
            lambda: f"clamp({inner}, {self.scalar(0)}, {self.scalar(0)})",
            lambda: f"clamp_min({inner}, {self.scalar(0)})",
            lambda: f"clamp_max({inner}, {self.scalar(0)})",
            lambda: f'round({inner}, {self.one_of(("0.1", "5", "0.25"))})',
            lambda: f"vector({self.scalar(depth - 1)})",
            lambda: f'label_replace({inner}, "new", "$1-x", "instance", "(.*):.*")',
            lambda: f'label_replace({inner}, "job", "$2", "code", "(.)(.*)")',
            lambda: f'label_join({inner}, "joined", "/", "instance", "job", "missing")',
            lambda: "histogram_quantile(" + self.one_of(("0", "0.5", "0.95", "1", "2", "-1")) + ", " + self.one_of((
                "duration_seconds_bucket", "rate(duration_seconds_bucket[5m])",
                "sum by (le, job) (rate(duration_seconds_bucket[10m]))", inner)) + ")",
        ))()

    def vector(self, depth):
        if depth <= 0 or self.maybe(0.15):
            return self.selector() + self.modifiers()
        kind = self.random.random()
        if kind < 0.35:
            return self.call(depth)
        if kind < 0.65:
            return self.aggregate(depth)
        if kind < 0.9:
            return self.binary(depth)
        if kind < 0.95:
            return f"-{self.selector()}"
        return f"({self.vector(depth - 1)})"

    def query(self):
        """As the API takes it: an instant with `time`, or a range with `start`, `end` and `step`."""
        text = self.scalar(2) if self.maybe(0.05) else self.vector(self.one_of((1, 2, 2, 3)))
        # 7 s beside the tens, so that no subquery's step falls on the far end of its range.
        at = data.START - data.START % 60 + 7 + 10 * self.random.randrange(data.SECONDS // 10)
        if self.maybe(0.6):
            return {"query": text, "time": at}
        step = self.one_of((10, 30, 60, 130, 600))
        return {"query": text, "start": at, "end": at + step * self.random.randrange(1, 40), "step": step}
