"""Looks for a text in the memory of a process.

Usage: memory.py PID TEXT

Prints, for each place where it is, the flags that the kernel has of that memory (proc_pid_smaps(5)), or "?"; nothing if it
is nowhere.
"""

import re
import sys


def mappings(pid):
    """(from, to, readable, flags) of each."""
    current = None
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as smaps:
        for line in smaps:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (.)", line)
            if head:
                current = (int(head[1], 16), int(head[2], 16), head[3] == "r")
            elif line.startswith("VmFlags:"):
                yield (*current, line.split()[1:])


def main(pid, text):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, end, readable, flags in mappings(pid):
            if not readable or "io" in flags:
                continue
            try:
                memory.seek(begin)
                found = memory.read(end - begin).count(text.encode())
            except (OSError, ValueError, OverflowError):
                continue  # a page of the kernel's own
            for _ in range(found):
                print(" ".join(flags) or "?")


if __name__ == "__main__":
    main(*sys.argv[1:])
