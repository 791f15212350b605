"""A local stack: serves the delivery API as the real service does, misbehaves on command. See `--help`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from typing import Any, Optional

from access import Credentials
from generator import Plan
from stack import Options, Stack
from switches import SWITCHES, Settings, SwitchError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests/stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve until SIGTERM or SIGINT")
    serve.add_argument("--port", type=int, default=0, help="default: any free one")
    serve.add_argument("--ready-file", metavar="FILE", help="write the URL there as soon as connections are accepted")
    serve.add_argument("--content", choices=("sample", "empty"), help="default: sample, or empty with --generate")
    serve.add_argument("--verbose", action="store_true", help="print each request to standard error")
    generate = serve.add_argument_group("generated content")
    generate.add_argument("--generate", type=int, metavar="N", help="publish N synthetic entries (counted per locale)")
    generate.add_argument("--content-types", type=int, default=4, metavar="K")
    generate.add_argument("--large-type", action="store_true", help="let half of the entries be of the first content type")
    generate.add_argument("--locales", type=int, default=1, metavar="L")
    generate.add_argument("--body", type=int, default=1500, metavar="BYTES", help="about the size of an entry's data")
    generate.add_argument("--assets", type=int, default=0, metavar="A", help="publish A small assets, too")
    generate.add_argument("--seed", type=int, default=1, metavar="S")
    credentials = serve.add_argument_group("credentials")
    for name in ("api_key", "token", "environment", "branch"):
        credentials.add_argument(f"--{name.replace('_', '-')}", default=getattr(Credentials, name))
    switches = serve.add_argument_group("switches, also to be set at run time")
    for name, switch in SWITCHES.items():
        plain = not isinstance(switch.default, bool)
        more: dict[str, Any] = {} if plain else {"nargs": "?", "const": "on"}
        text = f"{switch.meaning} (default {switch.default if plain else 'off'})"
        switches.add_argument(f"--{name}", metavar="VALUE", help=text, **more)

    return parser


def _write_atomically(path: str, text: str) -> None:
    folder = os.path.dirname(os.path.abspath(path))
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".ready-", delete=False) as file:
        file.write(text)
    os.replace(file.name, path)


def _serve(options: argparse.Namespace) -> int:
    ends = (signal.SIGTERM, signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # in all threads, lest one takes it that nobody hears
    settings = Settings()
    for name in SWITCHES:
        value = getattr(options, name.replace("-", "_"))
        if value is not None:
            settings.set(name, value)
    plan: Optional[Plan] = None
    if options.generate is not None:
        plan = Plan(
            options.generate,
            options.content_types,
            options.locales,
            options.body,
            options.assets,
            options.seed,
            options.large_type,
        )
    content = options.content or ("sample" if plan is None else "empty")
    credentials = Credentials(options.api_key, options.token, options.environment, options.branch)
    stack = Stack(Options(options.port, content, plan, credentials, settings, options.verbose))
    stack.start()
    print(stack.url, flush=True)
    if options.ready_file:
        _write_atomically(options.ready_file, stack.url + "\n")
    signal.sigwait(ends)
    stack.stop()
    return 0


def main(arguments: list[str]) -> int:
    """Runs one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _serve(options)
    except (SwitchError, OSError) as error:
        print(f"tests/stack: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
