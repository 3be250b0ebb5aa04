"""Has every n-th system call of a run fail, one after the other, with strace: openat, read, write, fsync, syncfs, rename, mmap and close with ENOSPC,
EIO, EMFILE and EINTR, and kills runs at each rename, fsync, syncfs and write. The run must end with the right digests or a clear error, and the next
run as if nothing had been.    system_calls.py [STRIDE] [SYSTEM_CALL…]     STRIDE 1 tries every n

Counts begin behind the dynamic loader, whose own failures nobody can catch: the process stops itself before `main` and goes on when strace holds it.
Each thread counts for itself, so that one number may strike several of them."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from shop import DOCUMENTED, Outcome, Shop, Tally

CALLS = ["openat", "read", "pread64", "write", "pwrite64", "fsync", "fdatasync", "syncfs", "rename", "mmap", "close"]
ERRORS = ["ENOSPC", "EIO", "EMFILE", "EINTR"]
KILLED = ["rename", "fsync", "syncfs", "write", "pwrite64"]
STOP = """#include <signal.h>
#include <stdlib.h>
__attribute__((constructor)) static void stop(void) { unsetenv("LD_PRELOAD"); raise(SIGSTOP); }
"""

if shutil.which("strace") is None:
    print("system calls: strace is not here, nothing tried (.ci/setup more brings it)")
    sys.exit(0)
stride = int(sys.argv[1]) if len(sys.argv) > 1 else 37
shop, tally = Shop(rows=300), Tally("system calls")
with open(shop.path + "/stop.c", "w") as file:
    file.write(STOP)
subprocess.run([shutil.which("clang") or "cc", "-shared", "-fPIC", "-o", shop.path + "/stop.so", shop.path + "/stop.c"], check=True)


def state(process):
    with open(f"/proc/{process}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def tracer(process):
    with open(f"/proc/{process}/status") as file:
        return int(re.search(r"TracerPid:\s+(\d+)", file.read())[1])


def until(condition, limit=20):
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > limit:
            raise TimeoutError("the process did not come so far")
        time.sleep(0.0005)


def disturbed(document, call, fault, number):
    """The outcome of a run, and the calls that were struck."""
    shutil.rmtree(shop.store("store"), ignore_errors=True)
    trace = shop.path + "/trace"
    with open(shop.path + "/out", "w+b") as out, open(shop.path + "/err", "w+b") as err:
        child = subprocess.Popen(
            shop.arguments(document, "store", "-j", "1"), stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=shop.path,
            env={**os.environ, "LD_PRELOAD": shop.path + "/stop.so", "SWIFT_BACKTRACE": "enable=no"})
        until(lambda: state(child.pid) == "T")
        watcher = subprocess.Popen(
            ["strace", "-f", "-q", "-o", trace, "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}", "-p", str(child.pid)],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: tracer(child.pid) == watcher.pid)
        os.kill(child.pid, signal.SIGCONT)
        try:
            code = child.wait(60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            code = -1
        watcher.wait()
        out.seek(0)
        err.seek(0)
        outcome = Outcome(code, out.read().decode(errors="replace"), err.read().decode(errors="replace"))
    with open(trace, errors="replace") as file:
        struck = [line for line in file if "(INJECTED)" in line]
    if code == -9 and fault.startswith("signal"):
        struck.append("killed")
    return outcome, struck


def plans(call):
    """Documents and strides. Large stages are flushed together, and so that there are few of these calls; small ones share packs, with few calls for each."""
    if call == "syncfs":
        return [("large", 1)]
    packed = {"fsync": max(1, stride // 8), "rename": max(1, stride // 8), "write": stride, "openat": 2 * stride, "pread64": 2 * stride}
    return [("shop", stride)] + ([("many", packed[call])] if call in packed else [])


try:
    for call, document, step in [(call, *plan) for call in sys.argv[2:] or CALLS for plan in plans(call)]:
        faults = [f"error={error}" for error in ERRORS] + (["signal=SIGKILL"] if call in KILLED else [])
        for at, fault in enumerate(faults):
            # Strides begin at different places, so that a short round meets other places for each error.
            number = 1 + at * (step // len(faults) if step > 1 else 0)
            clean = 0
            while clean < 2:
                outcome, struck = disturbed(document, call, fault, number)
                clean = 0 if struck else clean + 1
                if struck:
                    problem = outcome.wrong(shop.expected[document])
                    # Memory that the system refuses ends a process of Swift; what counts is the store.
                    is_memory = call == "mmap" and any("MAP_ANONYMOUS" in line or "MAP_STACK" in line for line in struck)
                    if outcome.code == -9 and fault.startswith("signal"):
                        problem = None
                        tally.count("killed")
                    elif outcome.code == 0:
                        tally.count("absorbed")
                    elif outcome.code in DOCUMENTED and any(f"{call}(2," in line for line in struck):
                        # The words themselves could not be written.
                        problem = None
                        tally.count("without words")
                    elif problem is None:
                        tally.count("told")
                    elif is_memory:
                        problem = None
                        tally.count("ended for want of memory")
                    tally.check(f"{document}: {call} {fault} at {number}", problem or shop.unsound("store", document))
                number += step
finally:
    shop.close()
sys.exit(tally.end())
