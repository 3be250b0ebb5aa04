"""Flips bits in files of a store, cuts files off, swaps artifacts, and takes the catalog away or puts others in its place. `cache verify` must
find each damage and name the file; a run that has nothing to do with it gives the same digests; one that reads the damaged artifact makes it
again and says so.    damage.py [TIMES]"""
import json
import os
import random
import shutil
import sys

from shop import MILLRACE, Shop, Tally, digests

times = int(sys.argv[1]) if len(sys.argv) > 1 else 30
shop, tally, rng = Shop(rows=2000), Tally("damage"), random.Random(2)
pristine, store = shop.store("alone"), shop.store("store")
shop.run("shop", pristine)
with open(f"{pristine}/runs/latest/run.json") as file:
    record = json.load(file)["stages"]
owner = {output["digest"]: stage["name"] for stage in record for output in stage["outputs"].values()}
readers = {stage["name"]: [other["name"] for other in record if stage["name"] in other["needs"]] for stage in record}
files = sorted(os.path.relpath(os.path.join(folder, name), pristine) for top in ("objects", "recipes") for folder, _, names in os.walk(f"{pristine}/{top}") for name in names)


def fresh():
    shutil.rmtree(store, ignore_errors=True)
    shutil.copytree(pristine, store, symlinks=True)


def change(path, how, at):
    with open(path, "r+b") as file:
        if how == "flip":
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << rng.randrange(8))]))
        else:
            file.truncate(0 if how == "empty" else at)


def mended(readers, owners):
    """None when runs give what they gave, mend what they read, and the store is sound after them."""
    plain = shop.run("shop", store)
    if plain.code != 0 or digests(plain.out) != shop.expected["shop"]:
        return f"a run beside the damage: exit {plain.code}: {plain.err[:400]}"
    # An output that nobody reads is made again when its stage is.
    for stages in (readers, owners):
        forced = shop.run("shop", store, *[word for name in stages for word in ("--force", name)])
        if forced.code != 0 or digests(forced.out) != shop.expected["shop"]:
            return f"a run that reads the damage: exit {forced.code}: {forced.err[:400]}"
        if shop.verify(store).code == 0:
            tally.count("mended by readers" if stages is readers else "mended by their stage")
            break
    return shop.unsound(store)


try:
    for turn in range(times):
        fresh()
        name = files[turn % len(files)] if turn < len(files) else rng.choice(files)
        path, how = f"{store}/{name}", ("flip", "flip", "flip", "cut", "empty")[turn % 5]
        size = os.path.getsize(path)
        at = rng.randrange(size)
        change(path, how, at)
        case, found = f"{name}: {how} at {at} of {size}", shop.verify(store)
        if found.code != 3 or name not in found.out:
            tally.check(case, f"cache verify: exit {found.code}: {found.out}")
            continue
        tally.count(f"found ({how})")
        # Who reads it has to be forced; a damaged recipe is made again by any run.
        stage = owner.get(name.split("/")[1])
        tally.check(case, mended(readers.get(stage, []), [stage] if stage else []))

    # Packs, in which small stages lie together: what is flipped in one is made again, each by itself; one that cannot be read goes with the next collection.
    packed = shop.store("packed")
    shop.run("many", packed)
    packs = sorted(name for name in os.listdir(packed + "/packs") if name.endswith(".pack"))
    with open(f"{packed}/runs/latest/run.json") as file:
        again = [word for stage in json.load(file)["stages"] for word in ("--force", stage["name"])]
    for turn in range(max(6, times // 3)):
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(packed, store, symlinks=True)
        name, how = "packs/" + rng.choice(packs), ("flip", "flip", "cut")[turn % 3]
        at = rng.randrange(os.path.getsize(f"{store}/{name}"))
        change(f"{store}/{name}", how, at)
        found, problem = shop.verify(store), None
        if found.code != 3 or name not in found.out:
            problem = f"cache verify: exit {found.code}: {found.out}"
        for more in ([], again):
            after = shop.run("many", store, *more)
            if problem is None and (after.code != 0 or digests(after.out) != shop.expected["many"]):
                problem = f"a run after it: exit {after.code}: {after.err[:400]}"
        gone = shop.call([MILLRACE, "cache", "gc", "--artifacts", store])
        tally.count(f"found (pack, {how})", problem is None)
        tally.check(f"{name}: {how} at {at}", problem or (f"cache gc: {gone.err}" if gone.code else shop.unsound(store, "many")))

    # Two artifacts in each other's place, an artifact of another store, one of another format.
    objects = sorted(os.listdir(pristine + "/objects"))
    for turn in range(max(2, times // 20)):
        fresh()
        first, second = rng.sample(objects, 2)
        for a, b in ((first, "aside"), (second, first), ("aside", second)):
            os.rename(f"{store}/objects/{a}", f"{store}/objects/{b}")
        found = shop.verify(store)
        problem = None if found.code == 3 and first in found.out and second in found.out else f"cache verify: exit {found.code}: {found.out}"
        tally.count("found (swap)", problem is None)
        tally.check(f"{first} and {second} swapped", problem or mended([], sorted({owner[first], owner[second]})))

    # The catalog is an index: without it, with noise in its place, cut, older or of another version everything goes on.
    older = shop.store("older")
    shop.run("shop", older, "--set", "least=2")
    for how in ("gone", "noise", "empty", "cut", "older", "another version", "a folder", "without its log", "another log"):
        fresh()
        catalog = store + "/catalog.sqlite"
        for log in (catalog + "-wal", catalog + "-shm"):
            if os.path.exists(log) and how not in ("cut", "noise"):
                os.unlink(log)
        if how == "noise":
            open(catalog, "wb").write(rng.randbytes(8192))
        elif how == "cut":
            os.truncate(catalog, os.path.getsize(catalog) // 2)
        elif how == "older":
            shutil.copy(older + "/catalog.sqlite", catalog)
        elif how == "another version":
            with open(catalog, "r+b") as file:  # user_version of a database of SQLite, big endian
                file.seek(60)
                file.write((999).to_bytes(4, "big"))
        elif how == "another log":
            open(catalog + "-wal", "wb").write(rng.randbytes(4096))
        elif how != "without its log":
            os.unlink(catalog)
            if how == "empty":
                open(catalog, "w").close()
            elif how == "a folder":
                os.makedirs(catalog + "/inside")
        after = shop.run("shop", store)
        problem = None if after.code == 0 and digests(after.out) == shop.expected["shop"] else f"exit {after.code}: {after.err[:400]}"
        if problem is None and json.loads(after.out)["executed"]:
            problem = "something was executed again"
        listed = shop.call([MILLRACE, "runs", "list", "--artifacts", store, "--json"])
        if problem is None and len(json.loads(listed.out or "[]")) != 2:
            problem = f"runs list: {listed.out[:400]}{listed.err}"
        tally.count("catalogs", problem is None)
        tally.check(f"catalog: {how}", problem or shop.unsound(store))
finally:
    shop.close()
sys.exit(tally.end())
