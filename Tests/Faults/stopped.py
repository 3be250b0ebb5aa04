"""Stops a run with SIGSTOP while it holds locks: another run names its process, how long it has held the lock and that it is stopped, gives up
when it was told how long to wait, and goes on when the first is killed or goes on itself. A collection beside a stopped run ends.    stopped.py"""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from shop import CRASH, MILLRACE, Shop, Tally, digests

shop, tally = Shop(base="/tmp", rows=400_000), Tally("stopped")
try:
    for end in (signal.SIGCONT, signal.SIGKILL, signal.SIGKILL):
        shutil.rmtree(shop.store("store"), ignore_errors=True)
        first = subprocess.Popen(shop.arguments("shop", "store"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=shop.path)
        # Once a recipe is locked, beside the run's own lock.
        locks, begin = shop.store("store") + "/locks", time.monotonic()
        while not os.path.isdir(locks) or not any(not name.startswith("run-") for name in os.listdir(locks)):
            if time.monotonic() - begin > 30 or first.poll() is not None:
                break
            time.sleep(0.0005)
        first.send_signal(signal.SIGSTOP)
        problem = None if first.poll() is None else "it had ended"
        time.sleep(1.1)
        loud = [word for word in shop.arguments("shop", "store", "--wait", "2 seconds") if word != "--quiet"]
        told = shop.call(loud)
        named = rf"waits for another run \(process {first.pid}, for [1-9][0-9]* s, which is stopped: kill -CONT {first.pid} lets it go on\)"
        if problem is None and told.code != 0 and not re.search(named, told.err):
            problem = f"the holder is not named: {told.err[:600]}"
        if problem is None and told.code == 1 and "did not end within 2 s" not in told.err:
            problem = f"it did not say that it waited: {told.err[:600]}"
        if problem is None and (told.code not in (0, 1) or CRASH.search(told.err)):
            problem = f"exit {told.code}: {told.err[:600]}"
        tally.count("named", bool(re.search(named, told.err)))
        collected = shop.call([MILLRACE, "cache", "gc", "--dry-run", "--artifacts", shop.store("store")], timeout=60)
        if problem is None and collected.code not in (0, -1):
            problem = f"cache gc beside it: exit {collected.code}: {collected.err}"
        waiting = subprocess.Popen(shop.arguments("shop", "store"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=shop.path)
        time.sleep(0.3)
        first.send_signal(end)
        out, err = waiting.communicate(timeout=120)
        if problem is None and (waiting.returncode != 0 or digests(out.decode()) != shop.expected["shop"]):
            problem = f"the run that waited: exit {waiting.returncode}: {err.decode()[:600]}"
        first.wait(120)
        tally.check(f"then {end.name}", problem or shop.unsound("store"))
finally:
    shop.close()
if not tally.counts.get("named"):
    tally.check("all", "no stopped run held a lock that another one wanted")
sys.exit(tally.end())
