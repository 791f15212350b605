"""Starts an instance of a template unit as systemd would, and becomes its main process.

Usage: unit.py system|user UNIT INSTANCE

What the unit says of environment, folders, credentials, privileges and commands is followed; what is there to restart, to
order and to filter system calls is not. The manager is a test's: NOTIFY_SOCKET is handed on, and credentials are put into
a folder of WORK.
"""

import os
import re
import subprocess
import sys

FOLDERS = {"StateDirectory": "/var/lib", "CacheDirectory": "/var/cache"}
CREDENTIAL_STORES = ("/etc/credstore", "/run/credstore", "/usr/lib/credstore")
SECONDS = {"": 1, "s": 1, "min": 60}


def read(path):
    """The settings of [Service], each with its values in their order."""
    settings, section = {}, None
    with open(path, encoding="utf-8") as lines:
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = line
            elif line and line[0] not in "#;" and section == "[Service]":
                key, value = line.split("=", 1)
                settings.setdefault(key, []).append(value)
    return settings


def specify(text, kind, instance):
    """Puts in what the specifiers stand for."""
    known = {"%": "%", "i": instance, "h": os.environ.get("HOME", "/root")}
    if kind == "system":
        known |= {"S": "/var/lib", "C": "/var/cache"}
    return re.sub("%(.)", lambda match: known[match[1]], text)


def words(command, environment):
    """The words of a command: ${NAME} is a part of one, whatever is in it."""
    return [re.sub(r"\$\{(\w+)\}", lambda match: environment[match[1]], word) for word in command.split()]


def make_folders(settings):
    for key, place in FOLDERS.items():
        for name in settings.get(key, []):
            os.makedirs(os.path.join(place, name), mode=0o755, exist_ok=True)


def credentials(settings, folder):
    """Those that there are; one that is nowhere is left out."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    for name, source in (value.split(":", 1) for value in settings["LoadCredential"]):
        for store in CREDENTIAL_STORES:
            path = os.path.join(store, source)
            if os.path.exists(path):
                with open(path, "rb") as found, open(os.path.join(folder, name), "wb", opener=for_owner) as put:
                    put.write(found.read())
                break
    return folder


def for_owner(path, flags):
    return os.open(path, flags, 0o400)


def bounds(settings):
    """The command that keeps what comes behind it within its privileges."""
    command = ["prlimit", "--core=" + settings["LimitCORE"][0], "setpriv"]
    if "CapabilityBoundingSet" in settings:
        kept = [name.removeprefix("CAP_").lower() for name in settings["CapabilityBoundingSet"][0].split()]
        command += ["--bounding-set", ",".join(["-all"] + ["+" + name for name in kept])]
    if settings.get("NoNewPrivileges") == ["yes"]:
        command.append("--no-new-privs")
    return command + ["--"]


def microseconds(span):
    number, unit = re.fullmatch(r"(\d+)([a-z]*)", span).groups()
    return int(number) * SECONDS[unit] * 1_000_000


def main(kind, path, instance):
    settings = {key: [specify(value, kind, instance) for value in values] for key, values in read(path).items()}
    assert settings["Type"] == ["notify"], settings["Type"]
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        "NOTIFY_SOCKET": os.environ["NOTIFY_SOCKET"],
        "WATCHDOG_USEC": str(microseconds(settings["WatchdogSec"][0])),
    }
    if kind == "user":
        environment["HOME"] = os.environ["HOME"]
    for value in settings["Environment"]:
        environment.update(pair.split("=", 1) for pair in value.split())
    make_folders(settings)
    if "LoadCredential" in settings:
        environment["CREDENTIALS_DIRECTORY"] = credentials(settings, os.path.join(os.environ["WORK"], "credentials"))
    os.umask(int(settings["UMask"][0], 8))
    within = bounds(settings)
    for command in settings["ExecStartPre"]:
        subprocess.run(within + words(command, environment), env=environment, check=True)
    (command,) = settings["ExecStart"]
    os.execvpe(within[0], within + words(command, environment), environment)


if __name__ == "__main__":
    main(*sys.argv[1:])
