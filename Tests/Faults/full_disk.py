"""Runs on file systems of 2, 8 and 32 MiB that are too small for it (tmpfs, for which one has to be root), with few files that may be open, with
little memory, on a store that may only be read, and with stores that are none. The end must be a right one or a clear error that names the path;
after room is made the run completes as an undisturbed one.    full_disk.py"""
import os
import resource
import shutil
import subprocess
import sys

from shop import MILLRACE, Shop, Tally, digests

tally = Tally("limits")


def mount(place, size):
    os.makedirs(place, exist_ok=True)
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "none", place], stderr=subprocess.DEVNULL).returncode == 0


def limited(what, value):
    return lambda: resource.setrlimit(what, (value, value))


def problem_of(shop, outcome, *names):
    """`names`: words of which a clear error holds one."""
    problem = outcome.wrong(shop.expected["shop"])
    if problem is None and outcome.code != 0 and names and not any(name in outcome.err for name in names):
        problem = f"the error names none of {names}: {outcome.err[:400]}"
    tally.count("completed" if outcome.code == 0 else "refused", problem is None)
    return problem


# Rows enough that the store takes 2, 8 and more than 32 MiB.
for size, rows in ((2, 30_000), (8, 120_000), (32, 480_000)):
    shop = Shop(rows=rows)
    place = shop.path + "/small"
    if not mount(place, size):
        print(f"limits: tmpfs of {size} MiB cannot be mounted here (one has to be root), not tried")
        shop.close()
        continue
    try:
        outcome = shop.run("shop", place + "/store")
        problem = problem_of(shop, outcome, "bytes are free there")
        if problem is None and outcome.code == 0:
            problem = "it was to be too small"
        # The store is sound as far as it goes: what is finished is used again, or thrown away.
        found = shop.verify(place + "/store")
        if problem is None and found.code != 0:
            problem = f"cache verify: {found.out}{found.err}"
        subprocess.run(["mount", "-o", f"remount,size={size * 16}m", place], check=True)
        tally.check(f"tmpfs of {size} MiB", problem or shop.unsound(place + "/store"))
    finally:
        subprocess.run(["umount", place])
        shop.close()

shop = Shop(rows=3000)
try:
    for files in (12, 16, 24, 32, 64):
        shutil.rmtree(shop.store("store"), ignore_errors=True)
        outcome = shop.run("shop", "store", preexec_fn=limited(resource.RLIMIT_NOFILE, files))
        problem = problem_of(shop, outcome)
        tally.check(f"{files} open files", problem or shop.unsound("store"))
    for size in (0, 4096, 100_000):
        shutil.rmtree(shop.store("store"), ignore_errors=True)
        outcome = shop.run("shop", "store", preexec_fn=limited(resource.RLIMIT_FSIZE, size))
        tally.check(f"files of at most {size} bytes", problem_of(shop, outcome) or shop.unsound("store"))
    # Two hundred threads at work, on however few processors.
    shutil.rmtree(shop.store("store"), ignore_errors=True)
    tally.check("-j 256", problem_of(shop, shop.run("shop", "store", "-j", "256")) or shop.unsound("store"))

    # A store that may only be read: everything is cached, and nothing can be written. Root writes wherever it likes, so it is mounted so.
    shutil.rmtree(shop.store("store"), ignore_errors=True)
    shutil.copytree(shop.store("undisturbed"), shop.store("store"), symlinks=True)
    store = shop.store("store")
    bound = subprocess.run(["mount", "--bind", store, store], stderr=subprocess.DEVNULL).returncode == 0
    if bound and subprocess.run(["mount", "-o", "remount,ro,bind", store], stderr=subprocess.DEVNULL).returncode == 0:
        for command in (["plan", "shop.json", "--json"], ["show", "shop.json", "customers"], ["runs", "list"], ["cache", "stats"], ["cache", "verify"]):
            done = shop.call([MILLRACE, *command, "--artifacts", store])
            tally.check(f"read-only store, {command[0]}", None if done.code == 0 else f"exit {done.code}: {done.err}")
        tally.check("read-only store, run", problem_of(shop, shop.run("shop", store), "Read-only file system"))
    else:
        print("limits: a read-only mount cannot be made here (one has to be root), not tried")
    if bound:
        subprocess.run(["umount", store])

    # Stores that are none.
    open(shop.path + "/file", "w").close()
    os.symlink("nowhere", shop.path + "/dangling")
    os.symlink(shop.store("linked-to"), shop.path + "/linked")
    os.makedirs(shop.store("linked-to"))
    for name, right in (("file", False), ("dangling", False), ("linked", True), ("a/b c/d", True)):
        outcome = shop.run("shop", name)
        problem = problem_of(shop, outcome, name)
        if problem is None and (outcome.code == 0) != right:
            problem = f"exit {outcome.code}: {outcome.err}"
        tally.check(f"store \"{name}\"", problem)
    for name in ("objects", "recipes", "locks", "tmp", "runs", "gate", "catalog.sqlite"):
        shutil.rmtree(shop.store("store"), ignore_errors=True)
        os.makedirs(shop.store("store"))
        if name == "gate":
            os.makedirs(shop.store("store") + "/gate")
        else:
            open(f"{shop.store('store')}/{name}", "w").close()
        outcome = shop.run("shop", "store")
        problem = problem_of(shop, outcome, name)
        shutil.rmtree(f"{shop.store('store')}/{name}", ignore_errors=True)
        if os.path.isfile(f"{shop.store('store')}/{name}") and name != "catalog.sqlite":
            os.unlink(f"{shop.store('store')}/{name}")
        tally.check(f"\"{name}\" of the store is not what it should be", problem or shop.unsound("store"))
finally:
    shop.close()
sys.exit(tally.end())
