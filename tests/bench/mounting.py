"""From the command that mounts what is there to the first answer."""

from __future__ import annotations


from measuring import drop_caches
from report import Report
from subjects import CONTENTFS
from world import Mount, World

SECTION = "Mount of a filled store"


def bench(world: World, report: Report, rounds: int) -> None:
    """Mounts again and again."""
    mount = Mount(world, world.store)
    for number in range(rounds):
        report.progress(f"mount, round {number + 1} of {rounds}")
        for heat in ("cold", "warm") if world.tools.cold else ("warm",):
            if heat == "cold":
                drop_caches()
            first, whole = measure(world, mount)
            for name, seconds in ("first ls", first), ("mount and first ls", whole):
                report.row(SECTION, f"{name}, {heat}", "ms", {CONTENTFS: 100.0}).add(CONTENTFS, seconds)
    report.end(SECTION)


def measure(world: World, mount: Mount) -> tuple[float, float]:
    """Seconds of the first `ls`, and of all from the command to mount on."""
    mounted = world.tools.measure(mount.mount_command, mount.environment)
    try:
        listed = world.tools.measure(["ls", mount.point])
    finally:
        mount.unmount()
    return listed.wall, mounted.wall + listed.wall
