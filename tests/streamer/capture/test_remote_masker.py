import numpy as np

from fetalstream.streamer.capture.remote_masker import RemoteMasker, to_message
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.masker import Masked, Masker, RegionEvent
from fetalstream.streamer.region.sector import Polygon, Rectangle


def frame(index):
    return Frame(np.full((40, 50), 9, np.uint8), index, index / 30, index)


def test_what_was_said_comes_back_with_the_frame_that_it_was_said_of():
    polygon = Polygon(((1.5, 2.0), (30.0, 2.0), (20.0, 33.0)))
    seen = Masker(polygon).update(frame(5))
    far = RemoteMasker(polygon, print)
    far.receive(to_message(5, seen))
    assert far.update(frame(4)).region is None
    assert far.update(frame(5)).region == seen.region
    assert far.update(frame(6)).region == seen.region
    assert far.setting == polygon


def test_events_of_frames_that_were_dropped_are_not_lost_and_trouble_holds_until_it_is_over():
    far = RemoteMasker(None, print)
    first = Masked(frame(1), None, (RegionEvent("sector_changed", {"why": "zoom"}),), "it does not fit")
    far.receive(to_message(1, first))
    far.receive(to_message(2, Masked(frame(2), None, (RegionEvent("spacing_changed"),), "it does not fit")))
    far.receive(to_message(5, Masked(frame(5), None)))
    seen = far.update(frame(3))
    assert [(each.event, each.detail) for each in seen.events] == [
        ("sector_changed", {"why": "zoom"}),
        ("spacing_changed", {}),
    ]
    assert seen.trouble == "it does not fit"
    assert far.update(frame(4)).events == ()
    assert far.update(frame(4)).trouble == "it does not fit"
    assert far.update(frame(5)).trouble is None


def test_another_sector_is_passed_on():
    passed = []
    far = RemoteMasker(None, passed.append)
    far.set_sector(Rectangle(1, 2, 3, 4))
    assert passed == [far.setting] == [Rectangle(1, 2, 3, 4)]


def test_nothing_masked_in_the_old_way_is_shown_once_a_sector_was_set():
    sector = Rectangle(1, 2, 3, 4)
    far = RemoteMasker(None, lambda _: None)
    far.receive(to_message(0, Masker().update(frame(0))))
    assert far.update(frame(0)).frame.pixels.any()
    far.set_sector(sector)
    hidden = far.update(frame(1))
    assert not hidden.frame.pixels.any()
    assert "before the sector was set" in hidden.trouble
    far.receive(to_message(2, Masker(sector).update(frame(2)), revision=1))
    assert not far.update(frame(1)).frame.pixels.any()
    shown = far.update(frame(2))
    assert shown.frame.pixels.any()
    assert shown.trouble is None
