"""Drawings inside a page: matplotlib's SVG without styles, foreign identifiers, or anything to be fetched."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.text import Text

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_HREF: Final = f"{{{_XLINK}}}href"
_DROPPED: Final = {f"{{{_SVG}}}{name}" for name in ("metadata", "style")}
_FONT_SIZE: Final = re.compile(r"([\d.]+px)")
_URL: Final = re.compile(r"url\(#([^)]*)\)")

ElementTree.register_namespace("", _SVG)
ElementTree.register_namespace("xlink", _XLINK)


def drawn(figure: Figure, *, name: str, label: str, colours: Mapping[str, str]) -> str:
    """Return a figure as an ``<svg>`` element for the inside of an HTML page.

    The page's policy allows no style attributes, so they become attributes of their own; colours in ``colours`` become
    the page's variables, so that they follow its theme.

    Args:
        figure: its text is taken as it is, never as mathematics.
        name: prefix of every identifier, so that several drawings share a page.
        label: the description for those who cannot see the drawing.
        colours: from ``"#rrggbb"`` as drawn to the page's variable for it.
    """
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    written = io.StringIO()
    with warnings.catch_warnings(), rc_context({"svg.fonttype": "none", "svg.hashsalt": "fetalstream"}):
        # A label in a script that matplotlib's font lacks is only measured with it: the browser has another.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(written.getvalue())  # noqa: S314 - matplotlib's own
    _clean(root, colours)
    _rename(root, name)
    for attribute in ("width", "height"):
        del root.attrib[attribute]
    root.set("class", name.rpartition("-")[2])
    root.set("role", "img")
    root.set("aria-label", label)
    return ElementTree.tostring(root, encoding="unicode")


def _clean(element: ElementTree.Element, colours: Mapping[str, str]) -> None:
    for child in list(element):
        if child.tag in _DROPPED:
            element.remove(child)
        else:
            _clean(child, colours)
    for part in element.attrib.pop("style", "").split(";"):
        key, _, value = (each.strip() for each in part.partition(":"))
        if key == "font":
            key, value = "font-size", _size(value)
        if key and value:
            element.set(key, colours.get(value.lower(), value))


def _size(font: str) -> str:
    found = _FONT_SIZE.search(font)
    return found[1] if found else ""


def _rename(root: ElementTree.Element, name: str) -> None:
    """Prefix the identifiers that are referred to with the name, and drop the others."""
    used = {element.get(_HREF, "#")[1:] for element in root.iter()}
    used |= {found for element in root.iter() for value in element.attrib.values() for found in _URL.findall(value)}
    for element in root.iter():
        own = element.attrib.pop("id", None)
        if own in used:
            element.set("id", f"{name}-{own}")
        if _HREF in element.attrib:
            # HTML knows the plain one too, and no prefix then has to be declared.
            element.set("href", f"#{name}-{element.attrib.pop(_HREF)[1:]}")
        for key, value in list(element.attrib.items()):
            element.set(key, _URL.sub(lambda found: f"url(#{name}-{found[1]})", value))
