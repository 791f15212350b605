"""JSON rich text documents from a few lines of plain text, so that the sample can be read by its authors."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import wire

Node = dict[str, Any]
_BOLD = re.compile(r"\*\*(.+?)\*\*")


class _Writer:
    """Makes nodes whose uids follow from the document's name."""

    def __init__(self, name: str) -> None:
        self._name, self._count = name, 0

    def node(self, kind: str, children: list[Node], **attrs: Any) -> Node:
        self._count += 1
        uid = hashlib.sha1(f"{self._name}:{self._count}".encode()).hexdigest()[:32]
        return {"type": kind, "attrs": attrs, "uid": uid, "children": children}

    def block(self, line: str) -> Node:
        if line.startswith("## "):
            return self.node("h2", _spans(line[3:]))
        if line.startswith("> "):
            return self.node("blockquote", _spans(line[2:]))
        if line.startswith("* "):
            return self.node("ul", [self.node("li", _spans(item[2:])) for item in line.split("\n")])
        if line.startswith("![") and line.endswith("]"):
            attrs = {"display-type": "display", "asset-uid": line[2:-1], "content-type-uid": "sys_assets", "type": "asset"}
            return self.node("reference", [{"text": ""}], **attrs)
        return self.node("p", _spans(line))


def _spans(text: str) -> list[Node]:
    """Text with `**bold**` parts."""
    parts = _BOLD.split(text)
    spans: list[Node] = []
    for number, part in enumerate(parts):
        if part:
            spans.append({"text": part, "bold": True} if number % 2 else {"text": part})
    return spans or [{"text": ""}]


def document(text: str, name: str) -> str:
    """The JSON text of the document that `{"$doc": [line, …]}` describes."""
    writer = _Writer(name)
    blocks = [writer.block(line) for line in json.loads(text)["$doc"]]
    root = writer.node("doc", blocks)
    root["_version"] = len(blocks)
    return wire.dump(root)
