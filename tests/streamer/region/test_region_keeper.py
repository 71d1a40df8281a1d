"""The masker where nobody has fixed the region: found, watched, found again."""

import dataclasses

import numpy as np
import pytest

from fetalstream.streamer.frame import Frame
from fetalstream.streamer.phantom.scanners import ScannerScreen
from fetalstream.streamer.phantom.source import PhantomSource
from fetalstream.streamer.region.masker import Masker
from fetalstream.streamer.region.sector import Polygon, Rectangle, middle_height
from tests.streamer.outlines import filled, overlap

SEED = 5  # phased, 640 x 480


@pytest.fixture(scope="module")
def scan():
    screen = ScannerScreen(SEED)
    return screen, [screen.frame(300 + 4 * i) for i in range(8)]


def after(frames, seconds):
    """The same frames later on."""
    return [
        dataclasses.replace(frame, index=frame.index + 1000, pts_seconds=frame.pts_seconds + seconds)
        for frame in frames
    ]


def events(masked):
    return [each.event for one in masked for each in one.events]


def test_live_nothing_is_shown_until_the_region_is_found(scan):
    screen, frames = scan
    masker = Masker("auto", hide_unknown=True)
    masked = [masker.update(frame) for frame in frames]
    shown = [one.frame.pixels.max() > 0 for one in masked]
    assert not any(shown[:2])
    assert all(shown[-3:])
    assert events(masked) == ["sector_changed"]
    region = masked[-1].region
    assert region is not None
    assert overlap(region.polygon, screen.design.polygon, frames[0].pixels.shape[:2]) > 0.97
    assert region.origin == "found"
    assert masked[-1].frame.pixels.shape[:2] == (region.rectangle.height, region.rectangle.width)


def test_nothing_outside_the_region_is_left(scan):
    screen, frames = scan
    masker = Masker("auto", hide_unknown=True)
    masked = [masker.update(frame) for frame in frames][-1]
    assert masked.region is not None
    rectangle = masked.region.rectangle
    truth = filled(screen.design.polygon, frames[0].pixels.shape[:2])
    truth = truth[rectangle.y :, rectangle.x :][: rectangle.height, : rectangle.width]
    outside = masked.frame.pixels[truth == 0]
    assert (outside > 60).mean() < 0.01
    named = masked.frame.pixels[truth == 0].size
    assert named > 1000


def test_the_rulers_scale_is_taken_where_nobody_says_one(scan):
    screen, frames = scan
    masker = Masker("auto", hide_unknown=True)
    last = [masker.update(frame).frame for frame in frames][-1]
    assert last.spacing_from == "ruler"
    assert last.spacing_mm == pytest.approx(screen.design.spacing_mm, rel=0.01)


def test_what_the_operator_says_goes_first_and_a_contradiction_is_told_once(scan):
    _, frames = scan
    masker = Masker("auto")
    masked = [masker.update(dataclasses.replace(frame, spacing_mm=0.5, spacing_from="operator")) for frame in frames]
    assert masked[-1].frame.spacing_mm == 0.5
    assert events(masked).count("source_warning") == 1


def test_another_depth_raises_the_epoch_and_ends_the_operators_spacing(scan):
    _, frames = scan
    deeper = ScannerScreen(SEED, deeper=1.3)
    later = after([deeper.frame(300 + 4 * i) for i in range(8)], 1.0)
    masker = Masker("auto", hide_unknown=True)
    told = [dataclasses.replace(frame, spacing_mm=0.2, spacing_from="operator") for frame in [*frames, *later]]
    masked = [masker.update(frame) for frame in told]
    before, now = masked[7].frame, masked[-1].frame
    assert (now.epoch, now.spacing_from) == (before.epoch + 1, "ruler")
    assert now.spacing_mm == pytest.approx(deeper.design.spacing_mm, rel=0.01)
    assert "layout_changed" in events(masked[8:])
    assert all(one.frame.spacing_mm != 0.2 or one.frame.pixels.max() == 0 for one in masked[8:])


def test_a_passing_menu_changes_nothing_once_it_is_gone(scan):
    _, frames = scan
    masker = Masker("auto", hide_unknown=True)
    before = [masker.update(frame) for frame in frames][-1]
    covered = frames[-1].pixels.copy()
    covered[100:400, :300] = 90
    hidden = masker.update(after([dataclasses.replace(frames[-1], pixels=covered)], 0.1)[0])
    assert hidden.frame.pixels.max() == 0
    back = masker.update(after([frames[-1]], 0.2)[0])
    assert (back.frame.epoch, back.region) == (before.frame.epoch, before.region)
    assert back.frame.pixels.max() > 0


def test_a_file_with_a_user_interface_is_masked_from_its_first_frame(scan):
    screen, frames = scan
    first = Masker("auto").update(frames[0])
    assert first.region is not None
    assert overlap(first.region.polygon, screen.design.polygon, frames[0].pixels.shape[:2]) > 0.95


def test_a_file_without_one_is_used_whole():
    frame = PhantomSource(7).frame(0)
    masked = Masker("auto").update(frame)
    assert masked.frame is frame
    assert masked.region is None
    assert masked.events == ()


@pytest.mark.parametrize("live", [False, True])
def test_where_nothing_is_found_it_is_said_and_only_a_file_is_shown(live):
    blank = np.full((200, 300), 30, np.uint8)
    blank[90:100, 40:60] = 250
    masker = Masker("auto", hide_unknown=live)
    masked = [masker.update(Frame(blank.copy(), i, i / 5, i)) for i in range(12)]
    assert events(masked) == ["sector_unknown"]
    assert (masked[-1].frame.pixels.max() > 0) is not live


def test_a_fixed_region_is_kept_and_its_scale_watched(scan):
    _, frames = scan
    deeper = ScannerScreen(SEED, deeper=1.3)
    later = after([deeper.frame(300 + 4 * i) for i in range(8)], 1.0)
    masker = Masker(Rectangle(100, 80, 400, 300))
    masked = [masker.update(dataclasses.replace(f, spacing_mm=0.2, spacing_from="operator")) for f in [*frames, *later]]
    assert {one.frame.pixels.shape[:2] for one in masked} == {(300, 400)}
    assert masked[7].frame.spacing_mm == 0.2
    assert masked[-1].frame.epoch == masked[7].frame.epoch + 1
    assert masked[-1].frame.spacing_mm != 0.2


def true_depth_mm(screen):
    return screen.design.spacing_mm * middle_height(Polygon(screen.design.polygon))


def test_the_depth_that_was_said_gives_the_spacing_once_the_region_is_known(scan):
    screen, frames = scan
    masker = Masker("auto", hide_unknown=True, depth_mm=true_depth_mm(screen))
    masked = [masker.update(dataclasses.replace(frame, spacing_mm=None, spacing_from=None)) for frame in frames]
    assert masked[0].frame.spacing_mm is None
    assert masked[-1].frame.spacing_from == "depth"
    # The finder's outline is within some pixels of the true one.
    assert masked[-1].frame.spacing_mm == pytest.approx(screen.design.spacing_mm, rel=0.03)


def test_a_depth_that_was_said_ends_with_the_layout(scan):
    screen, frames = scan
    deeper = ScannerScreen(SEED, deeper=1.3)
    later = after([deeper.frame(300 + 4 * i) for i in range(8)], 1.0)
    masker = Masker("auto", depth_mm=true_depth_mm(screen))
    bare = [dataclasses.replace(frame, spacing_mm=None, spacing_from=None) for frame in [*frames, *later]]
    masked = [masker.update(frame).frame for frame in bare]
    assert masked[7].spacing_from == "depth"
    assert masked[-1].spacing_from in (None, "ruler")


def test_a_depth_that_the_ruler_contradicts_is_told(scan):
    screen, frames = scan
    masker = Masker("auto", depth_mm=1.5 * true_depth_mm(screen))
    warnings = [e.detail["text"] for f in frames for e in masker.update(f).events if e.event == "source_warning"]
    assert len(warnings) == 1
    assert "--depth-cm" in warnings[0]


def test_without_a_region_a_depth_says_nothing_and_that_is_told():
    masker = Masker("auto", depth_mm=120.0)
    frame = PhantomSource(1).frame(0)
    masked = masker.update(dataclasses.replace(frame, spacing_mm=None, spacing_from=None))
    assert masked.frame.spacing_mm is None
    assert "source_warning" in events([masked])
