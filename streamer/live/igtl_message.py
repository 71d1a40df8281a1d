"""Messages of OpenIGTLink: the length of each, and the picture in it. Passive.

Source: the OpenIGTLink protocol, versions 1 to 3 (Tokuda et al. 2009; openigtlink.org, "Header" and "IMAGE"). All
numbers are big-endian. The sum over the body is not checked: TCP has done so, and some senders leave it out.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Final

from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.given_scale import LARGEST_MM, SMALLEST_MM
from fetalstream.streamer.readers.picture import MAX_PIXELS, gray_where_neutral

# version, type, device, seconds, fraction of a second, bytes of the body, its sum
_HEADER: Final = struct.Struct(">H12s20sIIQQ")
HEADER_BYTES: Final = _HEADER.size

# bytes of this header, of the metadata's header, of the metadata, number of the message
_EXTENDED: Final = struct.Struct(">HHII")

# version, components, scalar type, byte order, axes, size (3), matrix (3 axes, centre), offset and size of the part
_IMAGE: Final = struct.Struct(">HBBBB3H12f6H")
_UNSIGNED_8_BITS: Final = 3

LARGEST_BYTES: Final = 3 * MAX_PIXELS + (1 << 20)  # of a body: a picture and its metadata
_VERSIONS: Final = (1, 2, 3)


class Malformed(Exception):
    """The bytes are no message of the protocol, or one that is too long: where the next one begins is not known."""


class Unusable(Exception):
    """A picture cannot be used; ``str(error)`` says why and what to do. The next message may be read."""


@dataclass(frozen=True)
class IgtlHeader:
    """The header of a message, which stands before its body.

    Attributes:
        version: of the protocol.
        kind: type of the message, "IMAGE" for a picture.
        device: the sender's name of the device that the message comes from.
        seconds: time stamp on the sender's clock, None if there is none.
        size: bytes of the body.
    """

    version: int
    kind: bytes
    device: bytes
    seconds: float | None
    size: int


@dataclass(frozen=True, eq=False)
class Image:
    """The picture in an IMAGE message.

    Attributes:
        pixels: gray ``(H, W)`` or RGB ``(H, W, 3)``, a view of the body if possible.
        spacing_mm: width and height of one pixel, None if not known.
        doubt: why the spacing is not known, one line; None if there is nothing to say.
    """

    pixels: Pixels
    spacing_mm: tuple[float, float] | None
    doubt: str | None


def read_header(data: bytes | bytearray) -> IgtlHeader:
    """Parse the header of the next message, ``HEADER_BYTES`` long.

    Raises:
        Malformed: it is none.
    """
    version, kind, device, seconds, fraction, size, _ = _HEADER.unpack(data)
    if version not in _VERSIONS:
        raise Malformed("what it sends is not OpenIGTLink")
    if size > LARGEST_BYTES:
        raise Malformed(f"it sends messages of more than {LARGEST_BYTES >> 20} MB")
    stamp = seconds + fraction / (1 << 32) if seconds or fraction else None
    return IgtlHeader(version, kind.rstrip(b" \0"), device.rstrip(b" \0"), stamp, size)


def read_image(header: IgtlHeader, body: Pixels) -> Image:
    """Parse the picture in the body, uint8 ``(N,)``, of an IMAGE message.

    Raises:
        Unusable: it cannot be used.
    """
    content = _content(header, body)
    if len(content) < _IMAGE.size:
        raise Unusable("its pictures are cut short")
    values = _IMAGE.unpack_from(content.data)
    components, scalar, size = values[1], values[2], values[5:8]
    if scalar != _UNSIGNED_8_BITS or components not in (1, 3):
        raise Unusable("its pictures are not gray or RGB of 8 bits; set the sender to that")
    if values[20:23] != (0, 0, 0) or values[23:26] != size:
        raise Unusable("it sends parts of pictures; set the sender to whole ones")
    across, down = _axes(size)
    count = size[across] * size[down] * components
    if not count or size[across] * size[down] > MAX_PIXELS:
        raise Unusable(f"its pictures are empty or larger than {MAX_PIXELS >> 20} megapixels")
    if len(content) < _IMAGE.size + count:
        raise Unusable("its pictures are cut short")
    flat = content[_IMAGE.size : _IMAGE.size + count]
    if components == 1:
        pixels = flat.reshape(size[down], size[across])
    else:
        pixels = gray_where_neutral(flat.reshape(size[down], size[across], components))
    return Image(pixels, *_spacing([values[8 + 3 * axis : 11 + 3 * axis] for axis in range(3)], across, down))


def _content(header: IgtlHeader, body: Pixels) -> Pixels:
    """The body without the extended header before it and the metadata after it."""
    if header.version == 1:
        return body
    if len(body) < _EXTENDED.size:
        raise Unusable("its pictures are cut short")
    before, *after, _ = _EXTENDED.unpack_from(body.data)
    if before + sum(after) > len(body):
        raise Unusable("its pictures are cut short")
    return body[before : len(body) - sum(after)]


def _axes(size: tuple[int, int, int]) -> tuple[int, int]:
    """Which axes run across and down the picture: the two that are not one pixel thick.

    pyigtl sends an array of two dimensions one pixel thick along its first axis, not its last.
    """
    flat = next((axis for axis in (2, 0, 1) if size[axis] == 1), None)
    if flat is None:
        raise Unusable("it sends volumes; set the sender to two-dimensional pictures")
    across, down = (axis for axis in range(3) if axis != flat)
    return across, down


def _spacing(
    columns: list[tuple[float, float, float]], across: int, down: int
) -> tuple[tuple[float, float] | None, str | None]:
    """Millimetres along two axes: the lengths of the matrix's columns, if they can be believed; and the doubt."""
    lengths = [math.hypot(*column) for column in columns]
    found = lengths[across], lengths[down]
    if lengths == [1.0, 1.0, 1.0]:
        return None, "says 1 mm a pixel, as who does not know it; the spacing is taken as unknown: give --spacing MM"
    if not all(SMALLEST_MM <= length <= LARGEST_MM for length in found):  # not a number is not either
        return None, "says a spacing that no scanner has; it is taken as unknown: give --spacing MM"
    if (across, down) != (0, 1) and not math.isclose(*found, rel_tol=1e-3):
        # Which axes its spacings belong to is anybody's guess.
        return None, "says different spacings for a picture across its first axis; give --spacing MM"
    return found, None
