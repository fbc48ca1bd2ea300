"""Uploaded pictures, made harmless: a PNG without hidden text, an SVG of shapes and colours alone.

The content decides what a file is, never its name. The result is written anew from what is allowed (OWASP,
"File Upload Cheat Sheet"): no script, no address, no place of a camera goes along.
"""

import re
import zlib
from base64 import b64encode
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

MOST_BYTES: Final = 200 * 1024
MOST_PIXELS: Final = 2000
"""The most of each side of a PNG; the least is 16."""
_MOST_SHAPES: Final = 2000
_DEEPEST: Final = 30

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_CHUNKS: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples of a pixel by colour type (PNG, 11.2.1)."""

_SPACE: Final = "http://www.w3.org/2000/svg"
_ELEMENTS: Final = re.compile(
    "svg|g|defs|path|rect|circle|ellipse|line|polyline|polygon|linearGradient|radialGradient|stop|clipPath"
)
_ATTRIBUTES: Final = re.compile(
    "id|d|x|y|width|height|rx|ry|c[xy]|r|x[12]|y[12]|f[xy]|points|transform|viewBox|preserveAspectRatio|color"
    "|fill(-opacity|-rule)?|clip-(rule|path)|opacity|offset|stop-(color|opacity)"
    "|stroke(-width|-linecap|-linejoin|-miterlimit|-dasharray|-dashoffset|-opacity)?"
    "|gradientUnits|gradientTransform|spreadMethod|clipPathUnits"
)
_VALUE: Final = re.compile(r"(?!.*url)[\w\s#.,%()+:-]*|url\(#[\w.-]+\)", re.IGNORECASE | re.DOTALL)
_BOX: Final = re.compile(r"\s*-?[\d.]+[\s,]+-?[\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)\s*")


class PictureRefused(ValueError):
    """The file is no picture that may be shown; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def harmless(content: bytes) -> bytes:
    """Return a PNG or an SVG (in ASCII) with the same look, which can run, ask and tell nothing.

    Raises `PictureRefused`: `picture_too_large`, `picture_unknown`, `picture_size` or `picture_unsafe`.
    """
    if len(content) > MOST_BYTES:
        raise PictureRefused("picture_too_large")
    return _png(content) if content.startswith(_PNG) else _svg(content)


def media_type(picture: bytes) -> str:
    """Return the media type of a picture that `harmless` returned."""
    return "image/png" if picture.startswith(_PNG) else "image/svg+xml"


def as_svg(picture: bytes) -> str:
    """Return a picture that `harmless` returned as an SVG in ASCII; it holds a PNG inside."""
    if not picture.startswith(_PNG):
        return picture.decode()
    width, height = int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])
    size = f'width="{width}" height="{height}"'
    inside = f'href="data:image/png;base64,{b64encode(picture).decode()}"'
    return f'<svg xmlns="{_SPACE}" viewBox="0 0 {width} {height}"><image {size} {inside}/></svg>'


def _png(content: bytes) -> bytes:
    chunks = list(_chunks(content))
    if [name for name, _ in chunks[:1]] != [b"IHDR"] or chunks[-1][0] != b"IEND":
        raise PictureRefused("picture_unknown")
    _check_pixels(chunks[0][1], b"".join(data for name, data in chunks if name == b"IDAT"))
    return _PNG + b"".join(_chunk(name, data) for name, data in chunks if name in _CHUNKS)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_PNG)
    while place < len(content):
        length = int.from_bytes(content[place : place + 4])
        name, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        if content[place : place + 12 + length] != _chunk(name, data):
            raise PictureRefused("picture_unknown")
        yield name, data
        place += 12 + length


def _chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def _check_pixels(head: bytes, packed: bytes) -> None:
    """Unpack as much as the head announces: a small file may hold a very large picture."""
    width, height = int.from_bytes(head[:4]), int.from_bytes(head[4:8])
    if not (16 <= width <= MOST_PIXELS and 16 <= height <= MOST_PIXELS):
        raise PictureRefused("picture_size")
    bits = head[8] * _CHANNELS.get(head[9], 0)
    announced = height * (1 + (width * bits + 7) // 8)
    unpacking = zlib.decompressobj()
    try:
        found = len(unpacking.decompress(packed, announced + 1))
    except zlib.error:
        found = -1
    if len(head) != 13 or head[12] or found != announced or not unpacking.eof:
        raise PictureRefused("picture_unknown")


def _svg(content: bytes) -> bytes:
    try:
        text = content.decode("utf-8-sig")
        if "<!doctype" in text.lower() or "<!entity" in text.lower():
            raise PictureRefused("picture_unsafe")
        root = ElementTree.fromstring(text)  # noqa: S314 - without entities nothing grows
    except (UnicodeDecodeError, ElementTree.ParseError, ValueError) as wrong:
        raise wrong if isinstance(wrong, PictureRefused) else PictureRefused("picture_unknown") from None
    if root.tag != f"{{{_SPACE}}}svg":
        raise PictureRefused("picture_unknown")
    if sum(1 for _ in root.iter()) > _MOST_SHAPES:
        raise PictureRefused("picture_unsafe")
    clean = _clean(root, _DEEPEST)
    _set_box(clean)
    ElementTree.register_namespace("", _SPACE)
    made: bytes = ElementTree.tostring(clean, encoding="us-ascii")
    return made


def _clean(found: ElementTree.Element, deep: int) -> ElementTree.Element:
    name = found.tag.removeprefix(f"{{{_SPACE}}}")
    if not _ELEMENTS.fullmatch(name) or not deep:
        raise PictureRefused("picture_unsafe")
    clean = ElementTree.Element(found.tag, dict(_attributes(found)))
    clean.extend([_clean(part, deep - 1) for part in found if _is_shown(part)])
    return clean


def _is_shown(part: ElementTree.Element) -> bool:
    """Tell notes of a drawing program, and words for other readers, from what is drawn."""
    name = str(part.tag)
    ours = name.startswith(f"{{{_SPACE}}}")
    return ours and name.removeprefix(f"{{{_SPACE}}}") not in ("metadata", "title", "desc")


def _attributes(found: ElementTree.Element) -> Iterator[tuple[str, str]]:
    """Yield what is allowed; a `style` gives its properties as attributes."""
    styled = (one.partition(":") for one in found.get("style", "").split(";"))
    for name, value in (*found.attrib.items(), *((name.strip(), value.strip()) for name, _, value in styled)):
        if _ATTRIBUTES.fullmatch(name) and _VALUE.fullmatch(value):
            yield name, value


def _set_box(root: ElementTree.Element) -> None:
    """Give the drawing a `viewBox` that can be scaled; one side is at most ten times the other."""
    size = [root.attrib.pop(side, "").removesuffix("px") for side in ("width", "height")]
    box = root.get("viewBox") or f"0 0 {size[0]} {size[1]}"
    found = _BOX.fullmatch(box)
    try:
        width, height = (float(side) for side in found.groups()) if found else (0.0, 0.0)
    except ValueError:
        width, height = 0.0, 0.0
    if not (width > 0 and height > 0 and 0.1 <= width / height <= 10):
        raise PictureRefused("picture_size")
    root.set("viewBox", box)
