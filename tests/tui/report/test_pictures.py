import base64
import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from fetalstream.tui.report.pictures import LONGEST_SIDE, embedded, map_of
from tests.tui.recorded import png


def opened(found):
    return Image.open(io.BytesIO(base64.b64decode(found.address.removeprefix("data:image/jpeg;base64,"))))


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 3), (2000, 300)])
def test_a_picture_is_carried_at_a_size_for_a_page(shape):
    found = embedded(png(0, shape))
    image = opened(found)
    assert image.size == (found.width, found.height)
    assert max(image.size) == min(max(shape[:2]), LONGEST_SIDE)
    assert image.mode == ("RGB" if len(shape) == 3 else "L")


def test_only_pixels_are_carried():
    noted = PngImagePlugin.PngInfo()
    noted.add_text("Comment", "Doe, Jane")
    out = io.BytesIO()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(out, "PNG", pnginfo=noted)
    assert b"Jane" not in base64.b64decode(embedded(out.getvalue()).address.partition(",")[2])


@pytest.mark.parametrize("bad", [None, b"", b"<svg/>", png(0)[:100]])
def test_what_is_no_picture_is_none(bad):
    assert embedded(bad) is None


def test_a_map_is_found_wherever_it_lies_under_maps(tmp_path):
    assert map_of(tmp_path, "k") is None
    (tmp_path / "maps" / "brain").mkdir(parents=True)
    (tmp_path / "maps" / "brain" / "k.png").write_bytes(b"map")
    assert map_of(tmp_path, "k") == b"map"
    assert map_of(tmp_path, "../k*") is None
