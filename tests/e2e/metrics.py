"""Reads metrics from stdin as strictly as the text format of Prometheus (0.0.4) and its naming rules are written, and prints
each sample as NAME TYPE LABELS VALUE, labels as JSON."""

import json
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
SAMPLE = re.compile(rf"(?P<name>{NAME})\{{(?P<labels>{LABEL}(?:,{LABEL})*)\}} (?P<value>-?[0-9]+(?:\.[0-9]+)?)")
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def unescape(value: str) -> str:
    return re.sub(r'\\[\\"n]', lambda escape: ESCAPES[escape[0]], value)


text = sys.stdin.buffer.read().decode("utf-8")
assert text.endswith("\n") and "\r" not in text
lines = text[:-1].split("\n")
seen = set()
types = set()
number = 0
while number < len(lines):
    head = re.fullmatch(rf"# HELP ({NAME}) (\S.*\.)", lines[number])
    assert head, f"no HELP: {lines[number]}"
    name = head[1]
    kind = re.fullmatch(rf"# TYPE {name} (gauge|counter)", lines[number + 1])
    assert kind, f"no TYPE: {lines[number + 1]}"
    assert name not in types, f"{name} is there twice"
    assert name.endswith("_total") == (kind[1] == "counter"), f"{name} is a {kind[1]}"
    types.add(name)
    number += 2
    while number < len(lines) and not lines[number].startswith("#"):
        sample = SAMPLE.fullmatch(lines[number])
        assert sample and sample["name"] == name, f"no sample of {name}: {lines[number]}"
        labels = {label: unescape(value) for label, value in re.findall(LABEL, sample["labels"])}
        key = (name, json.dumps(labels, sort_keys=True))
        assert key not in seen, f"there twice: {lines[number]}"
        seen.add(key)
        print(name, kind[1], key[1], float(sample["value"]))
        number += 1
