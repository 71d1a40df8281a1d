import math
import random
import tempfile
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.fan import FanKind
from fetalstream.streamer.region.masker import Masker, setting_from
from fetalstream.streamer.region.profiles import Profile, load_profile, look_of, write_profile
from fetalstream.streamer.region.sector import Rectangle

SCREEN = np.random.default_rng(5).integers(0, 255, (48, 64), np.uint8)
SECTOR = [[20, 2], [40, 2], [60, 46], [4, 46]]
GOOD = {
    "name": "room-2",
    "width": 64,
    "height": 48,
    "kind": "convex",
    "sector": SECTOR,
    "tick_mm": 5.0,
    "spacing_mm": 0.2,
    "look": look_of(SCREEN, Rectangle(4, 2, 56, 44)),
}
ROW = "0" * 32
SENSELESS = [
    {"name": "../room"}, {"name": "a b"}, {"name": None}, {"width": 0}, {"width": -64}, {"width": 63.5},
    {"width": 2**40}, {"height": 47, "sector": [0, 0, 64, 48]}, {"height": "48"}, {"kind": "round"}, {"kind": []},
    {"sector": None}, {"sector": "auto"}, {"sector": []}, {"sector": [1, 2, 3]}, {"sector": [0, 0, 65, 48]},
    {"sector": [-1, 0, 5, 5]}, {"sector": [0, 0, 0, 5]}, {"sector": [[0, 0], [1, 1]]},
    {"sector": [[0, 0], [9, 9], [5, 5]]},
    {"sector": [["1", "2"], ["9", "2"], ["9", "9"]]}, {"sector": [[1, 2, 3], [4, 5, 6], [7, 8, 1]]},
    {"sector": [True, True, 9, 9]}, {"sector": [[0, 0], [math.inf, 0], [9, 9]]}, {"sector": {"x": 1}},
    {"tick_mm": 0}, {"tick_mm": 1e-300}, {"tick_mm": math.inf}, {"spacing_mm": -1}, {"spacing_mm": math.nan},
    {"look": ["0"]}, {"look": [ROW] * 23}, {"look": [ROW] * 25}, {"look": ["g" * 32] * 24},
    {"look": ["\u0663" * 32] * 24},
    {"look": [ROW[:-1]] * 24}, {"look": ROW * 24}, {"look": [0] * 24}, {"unknown": 1},
]  # fmt: skip
"""Profiles that differ from `GOOD` in what cannot be meant."""


def frames(count=3):
    return [Frame(pixels=SCREEN, index=index, pts_seconds=index / 10, captured_ns=index) for index in range(count)]


def test_a_whole_profile_is_taken_and_holds_on_its_own_screen():
    setting = setting_from(GOOD)
    assert isinstance(setting, Profile)
    assert setting.fits(SCREEN)
    assert not setting.fits(SCREEN[:, ::-1])
    masked = Masker(setting).update(frames(1)[0])
    assert masked.region.origin == "profile"
    assert masked.frame.pixels.shape == (44, 56)


@pytest.mark.parametrize("changed", SENSELESS, ids=str)
def test_a_profile_that_cannot_be_meant_is_refused_in_one_line(changed):
    with pytest.raises(SourceError) as caught:
        setting_from({**GOOD, **changed})
    assert "\n" not in str(caught.value)


def test_it_is_refused_wherever_it_comes_from():
    with pytest.raises(ValueError, match="does not lie in a screen of 10 x 48"):
        msgspec.structs.replace(setting_from(GOOD), width=10)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_taken_can_be_used_on_any_frame(seed):
    rng = random.Random(seed)
    odd = [
        None,
        True,
        0,
        -1,
        1e308,
        3,
        "auto",
        "0" * 32,
        [],
        [[]],
        {},
        [1, 2, 3, 4],
        [[1, 2], [30, 2], [30, 40]],
        1 << 16,
    ]
    payload = dict(GOOD)
    for key in rng.sample(sorted(payload), rng.randint(1, 3)):
        payload[key] = rng.choice([*odd, *GOOD.values()])
        if rng.random() < 0.2:
            del payload[key]
    try:
        masker = Masker(setting_from(payload))
    except SourceError:
        return
    for frame in frames():
        assert masker.update(frame).frame.pixels.dtype == np.uint8


places = st.integers(0, 4000) | st.floats(0, 4000)
millimetres = st.none() | st.floats(0.001, 100)
row = st.text("0123456789abcdef.", min_size=32, max_size=32)


@settings(deadline=None, max_examples=30)
@given(
    st.builds(
        Profile,
        name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", fullmatch=True),
        width=st.integers(4001, 60_000),
        height=st.integers(4001, 60_000),
        kind=st.sampled_from(get_args(FanKind)),
        sector=st.tuples(places, places).map(lambda at: [[0, 0.5], [at[0], 4000], [4000, at[1] / 2]]),
        tick_mm=millimetres,
        spacing_mm=millimetres,
        look=st.just([]) | row.map(lambda one: [one] * 24),
    )
)
def test_whatever_is_written_is_read_as_the_same(profile):
    with tempfile.TemporaryDirectory() as folder:
        path = write_profile(profile, Path(folder))
        assert path.name == f"{profile.name}.toml"
        assert load_profile(str(path)) == profile
        assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_profile_that_is_nested_too_deeply_is_refused_in_one_line(tmp_path):
    path = tmp_path / "room.toml"
    path.write_text("look = " + "[" * 100_000)
    with pytest.raises(SourceError, match="not a scanner profile") as refused:
        load_profile(str(path))
    assert "\n" not in str(refused.value)
