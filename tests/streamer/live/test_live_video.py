"""Live video from containers that are files, or that do what devices and bad connections do."""

import wave
from itertools import islice, pairwise

import av
import av.error
import numpy as np
import pytest

from fetalstream.streamer.live.live_source import FIRST_PICTURE_SECONDS, SILENCE_SECONDS
from fetalstream.streamer.live.live_video import LiveVideo, _RateMeter
from tests.streamer.clips import moving, patches, write, yuv420
from tests.streamer.live.test_live_source import NS, Clock, ClockedEvent


class SteppedClock(Clock):
    """A clock that moves whenever somebody looks at it."""

    def __init__(self, step_s=0.0):
        super().__init__()
        self.step_ns = round(step_s * NS)

    def __call__(self):
        self.now_ns += self.step_ns
        return self.now_ns


class Troubled:
    """A container whose packets come as a script says: a number of packets, or an error, again and again."""

    def __init__(self, container, *script):
        self._container = container
        self._packets = container.demux()
        self._script = list(script)
        self.streams = container.streams
        self.format = container.format

    def demux(self):
        while True:
            step = self._script.pop(0) if len(self._script) > 1 else self._script[0]
            if isinstance(step, Exception):
                raise step
            yield from islice(self._packets, step)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._container.close()


def nothing_yet():
    return av.error.BlockingIOError(11, "Resource temporarily unavailable")


@pytest.fixture
def clip(tmp_path):
    return write(tmp_path / "a.mkv", moving(12), codec="ffv1")


def live(connect, *, clock=None, **more):
    clock = clock or Clock()
    source = LiveVideo("network", connect, "0" * 64, clock_ns=clock, **more)
    source._closed = ClockedEvent(clock)
    return source


def opened(path):
    return lambda warn: av.open(str(path))


def test_a_connection_that_ends_is_made_again_and_its_frames_are_another_epoch(clip):
    source = live(opened(clip))
    frames = list(islice(source, 30))
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.epoch for frame in frames] == [0] * 12 + [1] * 12 + [2] * 6
    assert source.reconnects == 2
    assert source.rate_hz == 10
    np.testing.assert_array_equal(frames[3].pixels, frames[15].pixels)
    for before, after in pairwise(frames[:12]):
        assert after.pts_seconds - before.pts_seconds == pytest.approx(0.1, abs=0.001)


def test_video_without_time_stamps_is_timed_by_its_arrival(tmp_path):
    frames = moving(12)
    for frame in frames:
        frame.color_range = 2
    path = write(tmp_path / "a.mjpeg", frames, codec="mjpeg")
    clock = SteppedClock(0.001)
    source = live(opened(path), clock=clock)
    found = list(islice(source, 12))
    assert [frame.epoch for frame in found] == [0] * 12
    for frame in found:
        assert frame.pts_seconds == pytest.approx((frame.captured_ns - found[0].captured_ns) / NS, abs=1e-6)
    assert source.rate_hz is None


def test_closing_ends_it_at_the_next_packet(clip):
    source = live(opened(clip))
    frames = iter(source)
    next(frames)
    source.close()
    assert list(frames) == []


def test_a_container_is_closed_when_its_reader_stops(clip):
    containers = []

    def connect(_):
        containers.append(av.open(str(clip)))
        return containers[-1]

    frames = iter(live(connect))
    next(frames)
    frames.close()
    with pytest.raises(AssertionError, match="not open"):
        containers[0].seek(0)


def test_sound_alone_is_no_picture(tmp_path):
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    tries = []

    def connect(_):
        tries.append(source.status.trouble)
        if len(tries) == 3:
            source.close()
        return av.open(str(path))

    source = live(connect)
    assert list(source) == []
    assert tries == ["not connected yet", "it sends no video", "it sends no video"]


def test_a_device_that_has_nothing_yet_is_asked_again(clip):
    script = [nothing_yet(), 2, nothing_yet(), nothing_yet(), 3, nothing_yet(), 100, EOFError()]
    source = live(lambda _: Troubled(av.open(str(clip)), *script))
    frames = list(islice(source, 12))
    assert [frame.epoch for frame in frames] == [0] * 12
    assert source.reconnects == 0


def test_a_connection_that_breaks_is_told_and_made_again(clip):
    broken = OSError(104, "Connection reset by peer", "rtsp://me:s3cret@host")
    source = live(lambda _: Troubled(av.open(str(clip)), 4, broken))
    seen = []
    frames = []
    for frame in islice(source, 9):
        frames.append(frame)
        seen.append(source.status.trouble)
    assert [frame.epoch for frame in frames] == [0] * 4 + [1] * 4 + [2]
    assert set(seen) == {None}
    assert source.reconnects == 2


@pytest.mark.parametrize(("packets", "patience_s"), [(0, FIRST_PICTURE_SECONDS), (3, SILENCE_SECONDS)])
def test_silence_ends_a_connection_sooner_once_pictures_have_come(clip, packets, patience_s):
    clock = SteppedClock(0.001)
    connected_ns, troubles = [], []

    def connect(_):
        connected_ns.append(clock.now_ns)
        troubles.append(source.status.trouble)
        if len(connected_ns) == 2:
            source.close()
        return Troubled(av.open(str(clip)), packets, nothing_yet())

    source = live(connect, clock=clock)
    seen_ns = [clock.now_ns for _ in source]
    last_ns = seen_ns[packets - 1] if packets else connected_ns[0]
    backoff_s = 1.0
    assert patience_s <= (connected_ns[1] - last_ns) / NS < patience_s + backoff_s
    assert troubles == ["not connected yet", f"no picture came for {patience_s:g} seconds"]


def test_a_damaged_packet_is_left_out_and_the_next_one_decodes(tmp_path):
    path = write(tmp_path / "a.avi", [each.reformat(format="yuvj420p") for each in moving(12)], codec="mjpeg")

    class Damaging(Troubled):
        def demux(self):
            for number, packet in enumerate(self._packets):
                if number == 5 and packet.size:
                    damaged = av.Packet(b"\xff\xd8 no picture at all")
                    damaged.stream, damaged.pts, damaged.time_base = packet.stream, packet.pts, packet.time_base
                    yield damaged
                else:
                    yield packet

    source = live(lambda _: Damaging(av.open(str(path)), 0))
    frames = list(islice(source, 11))
    assert {frame.epoch for frame in frames} == {0}
    assert len(frames) == 11


def combed(count):
    """A bar that moves between the two fields of each picture."""
    pictures = []
    for index in range(count):
        luma = np.full((48, 64), 20, np.uint8)
        luma[0::2, 10 + index % 8 : 26 + index % 8] = 220
        luma[1::2, 16 + index % 8 : 32 + index % 8] = 220
        pictures.append(yuv420(luma))
    return pictures


def test_interlaced_video_is_told_once_and_can_be_mended(tmp_path):
    path = write(tmp_path / "a.mkv", combed(50), codec="ffv1")
    source = live(opened(path))
    list(islice(source, 50))
    assert [line for line in source.warnings if "interlaced" in line] == source.warnings
    assert len(source.warnings) == 1
    mended = live(opened(path), deinterlace=True)
    frames = list(islice(mended, 40))
    assert mended.warnings == []
    assert frames[20].pixels.shape == (48, 64)


def test_progressive_video_is_not_taken_for_interlaced(tmp_path):
    path = write(tmp_path / "a.mkv", [yuv420(np.roll(patches(), step, axis=1)) for step in range(50)], codec="ffv1")
    source = live(opened(path))
    list(islice(source, 50))
    assert source.warnings == []


@pytest.mark.parametrize(
    ("every_s", "asked_hz", "told"), [(1 / 30, 60.0, True), (1 / 55, 60.0, False), (1 / 30, None, False)]
)
def test_fewer_pictures_than_asked_for_are_told_once(every_s, asked_hz, told):
    meter = _RateMeter(asked_hz)
    lines = [meter.update(round(every_s * NS * count)) for count in range(round(12 / every_s))]
    said = [line for line in lines if line is not None]
    assert len(said) == told
    if told:
        assert said[0].startswith("30 frames a second come, 60 were asked for")
        assert lines.index(said[0]) * every_s >= 5


def test_a_packet_is_a_step_so_that_a_decoder_that_hangs_is_noticed(clip):
    source = live(opened(clip))
    frames = iter(source)
    next(frames)
    before = source.status.steps
    next(frames)
    assert source.status.steps > before
