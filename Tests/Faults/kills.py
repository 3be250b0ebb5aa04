"""Kills runs with SIGKILL at moments spread over the whole run, commits included; every third store is struck twice. The next run must
succeed with the digests of an undisturbed one and leave neither locks nor temporary folders.    kills.py [KILLS]"""
import random
import shutil
import subprocess
import sys
import time

from shop import Shop, Tally

kills = int(sys.argv[1]) if len(sys.argv) > 1 else 20
# On the disk, where commits wait for it; and long enough to be struck.
shop, tally = Shop(base="/tmp", rows=60_000), Tally("kills")


def seconds(document):
    times = []
    for _ in range(3):
        shutil.rmtree(shop.store("timed"), ignore_errors=True)
        begin = time.monotonic()
        shop.run(document, "timed")
        times.append(time.monotonic() - begin)
    return sorted(times)[1]


# The second one's small stages share packs.
whole, rng, struck = {document: seconds(document) for document in ("shop", "many")}, random.Random(1), 0
try:
    for kill in range(kills):
        shutil.rmtree(shop.store("store"), ignore_errors=True)
        problem, document = None, ("shop", "many")[kill % 2]
        for _ in range(2 if kill % 3 == 2 else 1):
            child = subprocess.Popen(shop.arguments(document, "store"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=shop.path)
            time.sleep(whole[document] * (kill + rng.random()) / kills)
            child.kill()
            words = child.communicate()[1].decode(errors="replace")
            tally.count("struck", child.returncode == -9)
            struck += child.returncode == -9
            if child.returncode not in (0, -9):
                problem = f"the run ended by itself with exit {child.returncode}: {words}"
        tally.check(f"kill {kill} of {kills} ({document})", problem or shop.unsound("store", document))
finally:
    shop.close()
# A test that strikes nothing tests nothing.
if struck * 2 < kills:
    tally.check("all", f"only {struck} of {kills} kills struck")
sys.exit(tally.end())
