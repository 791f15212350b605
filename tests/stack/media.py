"""Real files for the sample's assets: pictures, a document, a sound, tables. Small, valid, and the same at each start."""

from __future__ import annotations

import functools
import io
import json
import math
import random
import struct
import wave
import zipfile
import zlib
from typing import Any, Callable, NamedTuple, Optional


class Made(NamedTuple):
    """A file, and what its record says about it."""

    content: bytes
    content_type: str
    dimension: Optional[str] = None  # JSON text


@functools.lru_cache(maxsize=64)
def make(text: str) -> Made:
    """The file that a `make` object of the sample, given as JSON text, describes."""
    spec = json.loads(text)
    kind = str(spec["kind"])
    if kind == "text":
        return Made(str(spec["text"]).encode(), str(spec["type"]))
    return _MAKERS[kind](spec)


def _dimension(spec: dict[str, Any]) -> str:
    return f'{{"height":{spec["height"]},"width":{spec["width"]}}}'


def _png(spec: dict[str, Any]) -> Made:
    """A lamp over the sea, in colours that depend on the seed."""
    width, height, seed = int(spec["width"]), int(spec["height"]), int(spec["seed"])
    source = random.Random(seed)
    sky, sea = ([source.randrange(20, 200) for _ in range(3)] for _ in range(2))
    horizon, radius = height * 3 // 5, max(4, height // 8)
    middle = (source.randrange(width // 4, width * 3 // 4), height // 3)
    rows = []
    for y in range(height):
        base = sky if y < horizon else sea
        fade = 0.5 + y / height / 2
        plain = bytes(int(part * fade) for part in base)
        row = bytearray(plain * width)
        reach = math.isqrt(max(0, radius**2 - (y - middle[1]) ** 2))
        if reach:
            left, right = max(0, middle[0] - reach), min(width, middle[0] + reach)
            row[left * 3 : right * 3] = b"\xff\xf4\xc8" * (right - left)
        rows.append(b"\0" + bytes(row))

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows), 9)) + chunk(b"IEND", b"")
    return Made(b"\x89PNG\r\n\x1a\n" + body, "image/png", _dimension(spec))


def _svg(spec: dict[str, Any]) -> Made:
    width, height = spec["width"], spec["height"]
    rooms = ("Lens Hall", "Boat Shed", "Café Ebbe")
    boxes = "".join(
        f'<g><rect x="{10 + 62 * number}" y="20" width="56" height="70" fill="none" stroke="#123"/>'
        f'<text x="{14 + 62 * number}" y="36" font-size="8">{room}</text></g>'
        for number, room in enumerate(rooms)
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f"<title>Lantern Quay</title>{boxes}</svg>\n"
    )
    return Made(text.encode(), "image/svg+xml", _dimension(spec))


def _pdf(spec: dict[str, Any]) -> Made:
    lines = "".join(f"({line}) Tj 0 -24 Td " for line in spec["lines"])
    stream = f"BT /F1 16 Tf 72 770 Td {lines}ET".encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return Made(bytes(out), "application/pdf")


def _csv(spec: dict[str, Any]) -> Made:
    source = random.Random("inventory")
    rows = ["number,name,made,weight,remark"]
    for number in range(int(spec["rows"])):
        name = source.choice(("bell", "lamp", "chart", 'rope, "tarred"', "Laterne", "灯"))
        remark = source.choice(("", "on loan", "schöner Zustand", "two lines\nin one cell"))
        quoted = ['"' + text.replace('"', '""') + '"' for text in (name, remark)]
        weight = f"{number % 40}.{number % 10}0"
        rows.append(f"{1800_000 + number},{quoted[0]},{source.randrange(1800, 1990)},{weight},{quoted[1]}")
    return Made("\r\n".join([*rows, ""]).encode(), "text/csv")


def _log(spec: dict[str, Any]) -> Made:
    source = random.Random("log")
    lines = []
    for day in range(int(spec["days"])):
        wind = source.choice("N NE E SE S SW W NW".split())
        force = source.choice(("calm", "light", "moderate", "fresh", "strong"))
        lit, out = source.randrange(15, 22), source.randrange(4, 9)
        lines.append(f"Day {day + 1:3}. Wind {wind}, {force}. Lamp lit {lit}:{day % 60:02}, out {out:02}:{day * 7 % 60:02}.")
    lines[220] = "[This page has been cut out, neatly, with scissors.]"
    return Made(("\n".join(lines) + "\n").encode(), "text/plain")


def _wav(spec: dict[str, Any]) -> Made:
    rate, seconds, pitch = 8000, float(spec["seconds"]), float(spec["pitch"])
    partials = ((1.0, 0.6), (2.0, 0.25), (2.76, 0.15))

    def sample(number: int) -> int:
        moment = number / rate
        tone = sum(share * math.sin(2 * math.pi * pitch * ratio * moment) for ratio, share in partials)
        return int(16000 * tone * math.exp(-2.5 * moment))

    frames = [sample(number) for number in range(int(rate * seconds))]
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(struct.pack(f"<{len(frames)}h", *frames))
    return Made(out.getvalue(), "audio/x-wav")


def _zip(_: dict[str, Any]) -> Made:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(2):
            picture = _png({"width": 32, "height": 24, "seed": 20 + number})
            archive.writestr(zipfile.ZipInfo(f"press-{number + 1}.png", (2025, 1, 7, 9, 0, 0)), picture.content)
    return Made(out.getvalue(), "application/zip")


def _noise(spec: dict[str, Any]) -> Made:
    size = int(spec["size"])
    return Made(random.Random(f"noise:{size}").randbytes(size), "application/octet-stream")


_MAKERS: dict[str, Callable[[dict[str, Any]], Made]] = {
    "png": _png,
    "svg": _svg,
    "pdf": _pdf,
    "csv": _csv,
    "log": _log,
    "wav": _wav,
    "zip": _zip,
    "random": _noise,
}
