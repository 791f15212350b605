"""Plays random histories of a stack against `contentfs mount`, and compares the mount with a model after each step.

The program under test is named by CONTENTFS. A history that fails is told with its seed: `--seed S` plays it again.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "stack")]

SECONDS = 600  # for one history


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/model", description=__doc__)
    parser.add_argument("--histories", type=int, default=1, metavar="N", help="how many (default 1)")
    parser.add_argument("--seed", type=int, metavar="S", help="of the first; the next have the numbers after it")
    parser.add_argument("--jobs", type=int, default=4, metavar="J", help="histories side by side (default 4)")
    parser.add_argument("--steps", type=int, metavar="N", help="of each history; default: 10 to 25, by its seed")
    parser.add_argument("--keep", action="store_true", help="leave the store of each history")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)  # in this process
    return parser.parse_args()


def _play(options: argparse.Namespace) -> int:
    from history import play

    program = os.environ.get("CONTENTFS") or str(HERE.parents[1] / "build/src/cli/contentfs")
    failure, history = play(program, options.seed, options.steps, options.keep)
    if failure is None:
        kept = history.said[-1:] if options.keep else []
        print(f"seed {options.seed}: {history.refreshes} refreshes, {history.looks} looks", *kept)
        return 0
    print(f"seed {options.seed} FAILED. What was done:", *history.said, "What went wrong:", failure, sep="\n  ")
    return 1


def _in_process(options: argparse.Namespace, seed: int) -> tuple[bool, str]:
    """Plays one in a process of its own, so that what hangs can be ended."""
    command = [sys.executable, str(HERE), "--alone", "--seed", str(seed)]
    command += ["--steps", str(options.steps)] if options.steps is not None else []
    command += ["--keep"] if options.keep else []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        said, late = process.communicate(timeout=SECONDS)[0], ""
    except subprocess.TimeoutExpired:
        process.terminate()  # it takes its mount away, and says where it was
        said, late = process.communicate()[0], f"seed {seed}: it did not end within {SECONDS} s\n"
    return process.returncode == 0 and not late, late + said.decode("utf-8", "replace")


def _alone(options: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        return _play(options)
    except Exception:
        print(f"seed {options.seed} FAILED:", traceback.format_exc())
        return 1


def main() -> int:
    """Returns the exit status."""
    options = _options()
    if options.alone:
        return _alone(options)
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    print(f"{options.histories} histories from seed {first}", flush=True)
    failed = []
    with ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(_in_process, options, seed): seed for seed in range(first, first + options.histories)}
        for future in as_completed(running):
            well, said = future.result()
            print(said, end="", flush=True)
            if not well:
                failed.append(running[future])
    passed = options.histories - len(failed)
    print(f"{passed} of {options.histories} histories passed", *(f"--seed {seed}" for seed in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
