"""Profiles of scanners' screens: the scan region, the ruler, and how the rest of the screen looks.

A profile is a TOML file in the user's own ``scanners`` folder::

    name = "room-2"
    width = 975
    height = 735
    kind = "convex"
    sector = [[228, 74], [747, 74], [898, 734], [60, 734]]   # or [x, y, width, height]
    tick_mm = 5.0          # from one of the ruler's finest ticks to the next
    spacing_mm = 0.063     # when it was calibrated; shown, never taken for the present one
    look = ["0f3...", ...] # 24 rows of 32 hexadecimal digits: the screen outside the region
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Final

import cv2
import msgspec
import numpy as np
import platformdirs
import tomli_w

from fetalstream.streamer.errors import SourceError, shown
from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.region.fan import FanKind
from fetalstream.streamer.region.sector import Shape, from_values

_COLUMNS, _ROWS = 32, 24
_LIKE_LEVELS: Final = 1  # of 16
_LIKE_SHARE: Final = 0.85  # of the cells outside the region that are not black
_Size = Annotated[int, msgspec.Meta(ge=1, le=1 << 16)]
# More than any ruler or scan has on either side; a spacing of 1e-300 would end as 0 somewhere.
_Millimetres = Annotated[float, msgspec.Meta(ge=0.001, le=100)]
_LOOK_ROW: Final = re.compile(rf"[0-9a-fA-F.]{{{_COLUMNS}}}")


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The screen of one scanner; the fields are described above.

    Raises:
        ValueError: the sector is none or does not lie in the screen, or ``look`` is not made as it should be.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    width: _Size
    height: _Size
    kind: FanKind = "convex"
    sector: list[Any]
    tick_mm: _Millimetres | None = None
    spacing_mm: _Millimetres | None = None
    look: list[str] = []

    def __post_init__(self) -> None:
        try:
            around = self.shape.rectangle
        except SourceError as error:
            raise ValueError(str(error)) from error
        if around.x + around.width > self.width or around.y + around.height > self.height:
            raise ValueError(f"the sector {around} does not lie in a screen of {self.width} x {self.height}")
        rows = [row for row in self.look if _LOOK_ROW.fullmatch(row)]
        if self.look and not len(rows) == len(self.look) == _ROWS:
            raise ValueError(f"look must be {_ROWS} rows of {_COLUMNS} hexadecimal digits or dots; calibrate it again")

    @property
    def shape(self) -> Shape:
        """The scan region that is remembered."""
        return from_values(self.sector)

    def fits(self, pixels: Pixels) -> bool:
        """Tell whether a frame has the remembered size, and looks as remembered outside the region."""
        if pixels.shape[:2] != (self.height, self.width):
            return False
        if not self.look:
            return True
        now = look_of(pixels, self.shape)
        # Cells that are black in both prove nothing: most of every screen is black.
        pairs = [(int(a, 16), int(b, 16)) for a, b in zip("".join(self.look), "".join(now), strict=True)
                 if a != "." and b != "." and (a, b) != ("0", "0")]  # fmt: skip
        return sum(abs(a - b) <= _LIKE_LEVELS for a, b in pairs) >= _LIKE_SHARE * len(pairs)


def look_of(pixels: Pixels, shape: Shape) -> list[str]:
    """Describe a screen outside the region: 24 rows of 32 cells with their mean levels, 0 to f; a dot inside it."""
    gray = pixels if pixels.ndim == 2 else pixels[:, :, 1]
    inside = np.zeros(gray.shape, np.uint8)
    cv2.fillPoly(inside, [np.rint(np.array(shape.polygon)).astype(np.int32)], (255,))
    covered = np.asarray(cv2.resize(inside, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA))
    cells = np.asarray(cv2.resize(gray, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA)) // 16
    return ["".join("." if covered[y, x] > 0 else f"{cells[y, x]:x}" for x in range(_COLUMNS)) for y in range(_ROWS)]


def user_folder() -> Path:
    """Return the folder of the user's own profiles."""
    return platformdirs.user_config_path("fetalstream") / "scanners"


def load_profile(name: str) -> Profile:
    """Load the user's profile of that name, or the file at that path if the name ends in ``.toml``.

    Raises:
        SourceError: there is none, or it is not a profile.
    """
    path = Path(name)
    if path.suffix != ".toml":
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise SourceError("a scanner profile's name is made of letters, digits, - and _", name)
        path = user_folder() / f"{name}.toml"
        if not path.is_file():
            raise SourceError("there is no such scanner profile; write one with fetalstream calibrate SOURCE", name)
    text = _read(path)
    try:
        return msgspec.toml.decode(text, type=Profile)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as error:
        raise SourceError(f"not a scanner profile: {shown(error)}", name) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"the scanner profile cannot be read ({type(error).__name__})", path) from error


def write_profile(profile: Profile, folder: Path) -> Path:
    """Write ``NAME.toml`` into the folder; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{profile.name}.toml"
    known = {name: value for name, value in msgspec.to_builtins(profile).items() if value is not None}
    part = path.with_suffix(".part")
    part.write_text(tomli_w.dumps(known), encoding="utf-8")
    part.replace(path)
    return path
