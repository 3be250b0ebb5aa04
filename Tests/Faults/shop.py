"""A small shop with a pipeline and a store, and what has to hold for it whatever is done to a run."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MILLRACE = os.path.abspath(os.environ.get("MILLRACE", ROOT + "/.build/release/millrace"))
# Ends that the manual names, besides 128 + signal.
DOCUMENTED = (1, 2, 3)
CRASH = re.compile(r"Fatal error|Stack dump|\*\*\* |crashed|Traceback|terminate called|BUG IN ")

DOCUMENT = """{ "pipeline": "shop",
  "parameters": { "least": { "type": "int", "default": 1 } },
  "stages": {
    "sales": { "stage": "ingest", "with": { "path": "sales.csv", "columns": {
        "invoice": { "source": "invoice", "type": "string" }, "customer": { "source": "customer", "type": "string" },
        "at": { "source": "at", "type": "timestamp" }, "quantity": { "source": "quantity", "type": "int32" },
        "price": { "source": "price", "type": "decimal(12,2)" } } } },
    "good": { "stage": "clean", "from": "sales", "with": { "require": ["customer"], "keep": ["quantity >= $least"], "distinct": true, "amount": "quantity * price" } },
    "customers": { "stage": "rfm", "from": "good", "with": {
        "customer": "customer", "at": "at", "amount": "quantity * price", "order": "invoice", "period": "day", "unit": "day", "until": "2011-12-31" } },
    "spend": { "stage": "fit", "from": "customers", "with": { "model": "gamma-gamma" } },
    "table": { "stage": "export", "from": "customers", "with": { "file": "customers.csv" } }%s
  } }
"""
# A second document over the same store: its first stages are the first one's.
MORE = """,
    "days": { "stage": "aggregate", "from": "good", "with": { "by": { "day": "date_trunc('day', at)" }, "aggregates": { "orders": "count(distinct invoice)" } } }"""

# A third one: so many small stages that they share packs; and a fourth, whose stages are larger, have files of their own, and are flushed in groups.
MANY = "".join(f""",
    "few{at}": {{ "stage": "aggregate", "from": "customers", "with": {{ "by": {{ "x": "frequency + {at}" }}, "aggregates": {{ "customers": "count(*)" }} }} }}""" for at in range(60))
LARGE = "".join(f""",
    "wide{at}": {{ "stage": "feature-engineer", "from": "good", "with": {{ "derive": {{
        "a": "price * {at}", "b": "price + {at}", "c": "quantity + {at}", "d": "quantity * {at}" }} }} }}""" for at in range(40))


class Outcome:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def wrong(self, expected):
        """None when the end was a right one: all done with the digests of an undisturbed run, or a clear error."""
        if CRASH.search(self.err):
            return "it crashed: " + self.err[:600]
        if self.code == 0:
            found = digests(self.out)
            return None if found == expected else "other digests than an undisturbed run"
        if self.code in DOCUMENTED:
            return None if re.search(r"(^|: )error: .", self.err, re.M) else f"exit {self.code} without a clear error: {self.err[:300]!r}"
        return f"exit {self.code}: {self.err[:600]}"


def digests(out):
    try:
        stages = json.loads(out)["stages"]
    except ValueError:
        return None
    return {f"{stage['name']}.{name}": output["digest"] for stage in stages for name, output in stage["outputs"].items()}


class Shop:
    def __init__(self, base=None, rows=3000):
        """`base`: a folder to work in; the default is in memory where there is such a place."""
        if not os.access(MILLRACE, os.X_OK):
            sys.exit(f"{MILLRACE} is not built; run make first")
        self.path = tempfile.mkdtemp(prefix="millrace-faults-", dir=base or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        rng = random.Random(20111209)
        with open(self.path + "/sales.csv", "w") as file:
            file.write("invoice,customer,at,quantity,price\n")
            for row in range(rows):
                customer = "" if row % 50 == 7 else f"c{rng.randrange(rows // 12)}"
                at = f"2011-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d} {rng.randrange(24):02d}:00:00"
                file.write(f"i{row // 3},{customer},{at},{rng.randrange(0, 9)},{rng.randrange(50, 5000) / 100}\n")
        documents = {"shop": "", "days": MORE, "many": MANY, "large": LARGE}
        for name, more in documents.items():
            with open(f"{self.path}/{name}.json", "w") as file:
                file.write(DOCUMENT % more)
        self.expected = {name: digests(self.run(name, "undisturbed").out) for name in documents}
        if len(self.expected["shop"] or {}) < 6:
            sys.exit("the undisturbed run told too few outputs")

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def arguments(self, document, store, *more):
        return [MILLRACE, "run", f"{self.path}/{document}.json", "--artifacts", self.store(store), "--json", "--quiet", *more]

    def store(self, name):
        return name if name.startswith("/") else f"{self.path}/{name}"

    def run(self, document, store, *more, **settings):
        return self.call(self.arguments(document, store, *more), **settings)

    def outcome_digests(self, document, store, *more):
        """Of a run in a store of its own, which is gone afterwards."""
        found = digests(self.run(document, store, *more).out)
        shutil.rmtree(self.store(store), ignore_errors=True)
        return found

    def call(self, arguments, timeout=120, **settings):
        environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no", **settings.pop("env", {})}
        try:
            done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, cwd=self.path, env=environment, **settings)
        except subprocess.TimeoutExpired:
            return Outcome(-1, "", f"no end within {timeout} s")
        return Outcome(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def verify(self, store):
        return self.call([MILLRACE, "cache", "verify", "--artifacts", self.store(store)])

    def unsound(self, store, document="shop"):
        """None when the next run of a store that was disturbed ends as an undisturbed one, and leaves nothing behind."""
        after = self.run(document, store)
        if after.code != 0:
            return f"the next run ended with exit {after.code}: {after.err[:600]}"
        if digests(after.out) != self.expected[document]:
            return "the next run gave other digests"
        left = [name for folder in ("tmp", "locks") for name in os.listdir(f"{self.store(store)}/{folder}")]
        if left:
            return f"left behind: {left}"
        found = self.verify(store)
        return None if found.code == 0 else f"cache verify: {found.out}{found.err}"


class Tally:
    """Counts what was tried and what went wrong; prints a line for each failure, and one at the end."""

    def __init__(self, name):
        self.name, self.tried, self.failed, self.counts = name, 0, 0, {}

    def count(self, what, by=1):
        self.counts[what] = self.counts.get(what, 0) + by

    def check(self, case, problem):
        self.tried += 1
        if problem:
            self.failed += 1
            print(f"{self.name}: {case}: {problem}", flush=True)

    def end(self):
        counts = "".join(f", {number} {what}" for what, number in sorted(self.counts.items()))
        print(f"{self.name}: {self.tried} tried{counts}; {self.failed} failures", flush=True)
        return 1 if self.failed or not self.tried else 0
