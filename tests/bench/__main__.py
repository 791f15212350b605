"""Measures contentfs on a local stack, side by side in one run with a local disk, squashfuse_ll and curl. Prints tables of
medians and of ratios; an aim that was missed is marked with !.

Sections, all but the last two by default:
  sync         the first sync, beside only fetching the same pages with curl
  read         find, ls -lR, stat, open+read+close, grep -r, rg and tar over all entries, cold and warm; requests; memory
  mount        mount of a filled store
  change       from the service's change to a reader who sees it
  hanging      entries beside downloads that hang
  concurrency  1, 4 and 16 readers while a delta of 10,000 items is applied
  scale        what an item costs among 1,000,000 entries and 100,000 assets, against 10,000 and 1,000
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import concurrency
import first_sync
import hanging
import machine
import mounting
import reading
import scale
from measuring import Tools
from report import Report
from stack import ROOT, Content
from world import World

SECTIONS = ("sync", "read", "mount", "change", "hanging", "concurrency", "scale")
BY_DEFAULT = SECTIONS[:5]


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="what to measure")
    parser.add_argument("--quick", action="store_true", help="10,000 entries and 2 rounds, in less than two minutes")
    parser.add_argument("--entries", type=int, metavar="N", help="of about 1 KiB each (100,000; scale: 1,000,000)")
    parser.add_argument("--assets", type=int, default=0, metavar="M", help="more items, bytes not included (0; scale: a tenth)")
    parser.add_argument("--types", type=int, default=4, metavar="K", help="content types (4)")
    parser.add_argument("--rounds", type=int, metavar="R", help="of each comparison (5); 1 or 2 of those with slow answers")
    parser.add_argument("--warm", action="store_true", help="drop no caches: that needs root, and slows all else down")
    parser.add_argument("--folder", type=Path, help="on the disk to compare with (default: the one for temporary files)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all samples there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there, as a document")
    parser.add_argument("--build", type=Path, help="a build folder of meson (default: a release build of this tree)")
    parser.add_argument("--program", help="the contentfs to measure (default: that of the build)")
    options = parser.parse_args(arguments)
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no such section: {' '.join(sorted(unknown))}")
    options.sections = options.sections or list(BY_DEFAULT)
    if not options.warm and not os.access("/proc/sys/vm/drop_caches", os.W_OK):
        parser.error("only root can drop the kernel's caches: try --warm")
    options.rounds = options.rounds or (2 if options.quick else 5)
    return options


def tools_of(options: argparse.Namespace) -> Tools:
    """The programs, built where need be."""
    build = options.build
    if build is None:
        subprocess.run([str(ROOT / "scripts/build"), "release"], check=True)
        build = ROOT / "build-release"
    return Tools(build.resolve(), options.program, not options.warm)


def run(options: argparse.Namespace, tools: Tools, folder: Path, report: Report) -> None:
    """The sections that were asked for."""
    entries = options.entries or (10_000 if options.quick else 100_000)
    content = Content(entries, options.assets, options.types)
    rounds, wanted = options.rounds, set(options.sections)
    if wanted & {"sync", "read", "mount", "change"}:
        with World(tools, folder / "world", content) as world:
            bench_world(world, report, rounds, wanted)
    if "hanging" in wanted:
        hanging.bench(tools, folder / "hanging", report, rounds)
    if "concurrency" in wanted:
        with World(tools, folder / "concurrency", content) as world:
            concurrency.bench(world, report, rounds, min(10_000, content.entries))
    if "scale" in wanted:
        entries = options.entries or 1_000_000
        large = Content(entries, options.assets or entries // 10, options.types, large_type=True)
        scale.bench(tools, folder / "scale", report, large, rounds)


def bench_world(world: World, report: Report, rounds: int, wanted: set[str]) -> None:
    """The sections that share a stack."""
    if "sync" in wanted:
        # Slow answers take long, and differ little.
        first_sync.bench(world, report, rounds, max(1, min(rounds // 2, 2)))
    if wanted & {"read", "mount", "change"}:
        report.progress("filling a store")
        world.fill()
    if "mount" in wanted:
        mounting.bench(world, report, rounds)
    if wanted & {"read", "change"}:
        reading.bench(world, report, rounds, wanted)


def main() -> None:
    """Measures, prints, and writes what was asked for."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # which takes the mounts away, too
    options = parse(sys.argv[1:])
    tools = tools_of(options)
    report = Report()
    command = shlex.join(["scripts/bench", *sys.argv[1:]])
    with tempfile.TemporaryDirectory(prefix="contentfs-bench-", dir=options.folder) as name:
        folder = Path(name).resolve()
        described = machine.describe(folder)
        run(options, tools, folder, report)
    if options.json:
        report.write_json(options.json, described, command)
    if options.markdown:
        options.markdown.write_text(report.markdown(described, command))
    missed = report.missed()
    print("\nAims that were not reached:\n  " + "\n  ".join(missed) if missed else "\nEvery aim was reached.")


if __name__ == "__main__":
    main()
