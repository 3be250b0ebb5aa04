"""Starts eight runs at the same moment on one store, of three documents that share stages (the small ones of the third share packs), in every third round beside a collection. All must
end well, with the digests of undisturbed runs, and nothing may be left behind.    crowd.py [ROUNDS]"""
import shutil
import subprocess
import sys

from shop import MILLRACE, Outcome, Shop, Tally

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
shop, tally = Shop(base="/tmp", rows=2000), Tally("crowd")
try:
    for turn in range(rounds):
        # Every other round goes on with the store of the one before.
        if turn % 2 == 0:
            shutil.rmtree(shop.store("store"), ignore_errors=True)
        more = ["--set", f"least={2 + turn % 6}"] if turn % 2 else []
        documents = ["shop", "many", "days", "many"] * 2
        children = [
            subprocess.Popen(shop.arguments(name, "store", *more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=shop.path)
            for name in documents
        ]
        if turn % 3 == 2:
            collection = shop.call([MILLRACE, "cache", "gc", "--keep-runs", "1", "--artifacts", shop.store("store")])
            tally.check(f"round {turn}, collection", None if collection.code == 0 else collection.err)
        expected = {name: shop.expected[name] for name in documents}
        ends = []
        for name, child in zip(documents, children):
            try:
                out, err = child.communicate(timeout=120)
                ends.append(Outcome(child.returncode, out.decode(), err.decode()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                ends.append(Outcome(-1, "", "no end within 120 s"))
        if more:
            expected = {name: shop.outcome_digests(name, f"alone-{turn}", *more) for name in set(documents)}
        problem = None
        for name, end in zip(documents, ends):
            if end.code != 0:
                problem = f"{name}: exit {end.code}: {end.err[:600]}"
            problem = problem or end.wrong(expected[name])
        tally.check(f"round {turn}", problem or next((wrong for name in ("shop", "days", "many") if (wrong := shop.unsound("store", name))), None))
finally:
    shop.close()
sys.exit(tally.end())
