import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.readers.files import VideoFile
from tests.streamer.clips import HEIGHT, WIDTH, moving, patches, quarters, write, yuv420

MPEG, JPEG = 1, 2


def first(path):
    with VideoFile(path) as video:
        return next(iter(video))


@pytest.mark.parametrize("colour_range", [0, MPEG])
def test_limited_and_unspecified_luma_is_expanded_to_full_range(tmp_path, colour_range):
    path = write(tmp_path / "a.mkv", [yuv420(patches(), colour_range=colour_range)], codec="ffv1")
    frame = first(path)
    assert frame.pixels.shape == (HEIGHT, WIDTH)
    assert quarters(frame.pixels) == [0, 86, 168, 255]


def test_full_range_luma_stays_as_it_is(tmp_path):
    path = write(tmp_path / "a.mkv", [yuv420(patches(), colour_range=JPEG)], codec="ffv1")
    assert np.array_equal(first(path).pixels, patches())


def test_gray_format_is_full_range_unless_it_says_otherwise(tmp_path):
    gray = av.VideoFrame.from_ndarray(patches(), format="gray")
    assert np.array_equal(first(write(tmp_path / "full.mkv", [gray], codec="ffv1")).pixels, patches())
    gray.color_range = MPEG
    assert quarters(first(write(tmp_path / "limited.mkv", [gray], codec="ffv1")).pixels) == [0, 86, 168, 255]


@pytest.mark.parametrize(
    ("colour_range", "expected"),
    # ITU-R BT.601, Y = 90, U = 100, V = 180: full range R = Y + 1.402 (V - 128), B = Y + 1.772 (U - 128), ...
    [(JPEG, (163, 62, 40)), (MPEG, (169, 55, 30)), (0, (169, 55, 30))],
)
def test_coloured_frames_are_rgb_in_full_range(tmp_path, colour_range, expected):
    luma = np.full((HEIGHT, WIDTH), 90, np.uint8)
    frame = first(write(tmp_path / "a.mkv", [yuv420(luma, u=100, v=180, colour_range=colour_range)], codec="ffv1"))
    assert frame.pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(frame.pixels.astype(int) - expected).max() <= 2


def test_one_coloured_corner_makes_a_frame_rgb(tmp_path):
    coloured = yuv420(patches(), colour_range=JPEG)
    v = bytearray(bytes(coloured.planes[2]))
    v[0] = 140
    coloured.planes[2].update(bytes(v))
    path = write(tmp_path / "a.mkv", [yuv420(patches(), colour_range=JPEG), coloured], codec="ffv1")
    with VideoFile(path) as video:
        gray, rgb = list(video)
    assert gray.pixels.ndim == 2
    assert rgb.pixels.ndim == 3
    assert gray.epoch == rgb.epoch


@pytest.mark.parametrize("pixel_format", ["bgr0", "gray16le", "gray10le", "yuv420p10le", "yuv444p", "yuva420p"])
def test_colourless_video_in_other_formats_is_gray_within_two_levels(tmp_path, pixel_format):
    picture = av.VideoFrame.from_ndarray(patches(), format="gray")
    if pixel_format.startswith("yuv"):
        picture = picture.reformat(format=pixel_format, src_color_range=JPEG, dst_color_range=MPEG)
        picture.color_range = MPEG
    else:
        picture = picture.reformat(format=pixel_format, src_color_range=JPEG, dst_color_range=JPEG)
        picture.color_range = 0
    frame = first(write(tmp_path / "a.mkv", [picture], codec="ffv1"))
    assert frame.pixels.shape == (HEIGHT, WIDTH)
    assert np.abs(frame.pixels.astype(int) - patches()).max() <= 2


def test_video_stored_bottom_up_is_upright(tmp_path):
    picture = av.VideoFrame.from_ndarray(np.dstack([patches()] * 3), format="bgr24")
    assert np.array_equal(first(write(tmp_path / "a.avi", [picture], codec="rawvideo")).pixels, patches())


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_metadata_is_applied(tmp_path, degrees):
    frame = yuv420(patches(), colour_range=JPEG)
    path = write(tmp_path / "a.mp4", [frame], codec="libx264", rotation=degrees, qp="0")
    with av.open(str(path)) as container:
        counterclockwise = next(container.decode(video=0)).rotation
    assert abs(counterclockwise) % 180 == degrees % 180
    expected = np.rot90(patches(), counterclockwise // 90)
    assert quarters(first(path).pixels) == quarters(expected)


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(4, 3), (48, 85)), (Fraction(1, 2), (96, 64))])
def test_non_square_pixels_are_resampled_so_that_a_circle_is_round(tmp_path, aspect, size):
    picture = np.full((HEIGHT, WIDTH), 16, np.uint8)
    picture[12:36, 16:48] = 235
    frame = first(write(tmp_path / "a.mp4", [yuv420(picture)], qp="0", aspect=aspect))
    assert frame.pixels.shape == size
    bright = frame.pixels > 127
    assert abs(int(bright.any(axis=0).sum()) - 32 * size[1] / WIDTH) <= 1
    assert abs(int(bright.any(axis=1).sum()) - 24 * size[0] / HEIGHT) <= 1


def test_unbelievable_pixel_aspect_is_refused_with_a_warning(tmp_path):
    path = write(tmp_path / "a.mp4", [yuv420(patches())], aspect=Fraction(40, 1))
    with VideoFile(path) as video:
        assert next(iter(video)).pixels.shape == (HEIGHT, WIDTH)
        assert any("aspect" in warning for warning in video.warnings)


def test_variable_frame_rate_keeps_its_times_from_zero(tmp_path):
    path = write(tmp_path / "a.mkv", moving(5), pts=[7, 8, 12, 13, 30])
    with VideoFile(path) as video:
        frames = list(video)
    assert [frame.pts_seconds for frame in frames] == pytest.approx([0, 0.1, 0.5, 0.6, 2.3], abs=2e-3)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert {frame.epoch for frame in frames} == {0}


def test_a_jump_of_more_than_five_seconds_begins_a_new_epoch(tmp_path):
    path = write(tmp_path / "a.mkv", moving(4), pts=[0, 50, 101, 102])
    with VideoFile(path) as video:
        found = [(round(frame.pts_seconds, 2), frame.epoch) for frame in video]
    assert found == [(0.0, 0), (5.0, 0), (10.1, 1), (10.2, 1)]  # a file of one clock: it paused


@pytest.mark.parametrize("second_starts", [0, 900_000])
def test_an_encoder_that_was_restarted_goes_on_in_time_in_a_new_epoch(tmp_path, second_starts):
    parts = [
        write(tmp_path / f"{start}{name}.ts", moving(10), pts=range(start, start + 10), bf="0").read_bytes()
        for name, start in (("a", 0), ("b", second_starts))
    ]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(parts))
    with VideoFile(path) as video:
        frames = list(video)
        assert video.warnings == []
    assert [frame.pts_seconds for frame in frames] == pytest.approx([step / 10 for step in range(20)], abs=1e-3)
    assert [frame.epoch for frame in frames] == [0] * 10 + [1] * 10


@pytest.mark.parametrize("name", ["raw.h264", "reordered.avi"])
def test_video_without_usable_time_stamps_is_counted_through(tmp_path, name):
    path = write(tmp_path / name, moving(8), bf="2")
    with VideoFile(path) as video:
        frames = list(video)
        assert any("time stamps" in warning for warning in video.warnings)
    assert [frame.pts_seconds for frame in frames] == pytest.approx([step / 10 for step in range(8)])
    assert {frame.epoch for frame in frames} == {0}


def test_spacing_is_the_operators_and_ends_when_the_size_changes(tmp_path):
    parts = b""
    for name, size in (("a", (48, 64)), ("b", (96, 128))):
        luma = np.full(size, 100, np.uint8)
        parts += write(tmp_path / f"{name}.h264", [yuv420(luma), yuv420(luma)], bf="0").read_bytes()
    path = tmp_path / "both.h264"
    path.write_bytes(parts)
    with VideoFile(path, spacing_mm=0.2) as video:
        frames = list(video)
        assert any("size" in warning for warning in video.warnings)
    assert [(frame.height, frame.epoch, frame.spacing_mm, frame.spacing_from) for frame in frames] == [
        *[(48, 0, 0.2, "operator")] * 2,
        *[(96, 1, None, None)] * 2,
    ]


@pytest.mark.parametrize("b_frames", ["0", "2"])
def test_another_pixel_shape_holds_from_its_first_picture_and_ends_the_operators_spacing(tmp_path, b_frames):
    parts = [
        write(tmp_path / f"{aspect}.h264", moving(8), bf=b_frames, aspect=Fraction(aspect, 11)).read_bytes()
        for aspect in (12, 16)
    ]
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(parts))
    with VideoFile(path, spacing_mm=0.2) as video:
        found = [(frame.pixels.shape, frame.epoch, frame.spacing_mm) for frame in video]
    # 64 pixels of 12:11 are 70 square ones across, and of 16:11 they are 93.
    assert found == [((48, 70), 0, 0.2)] * 8 + [((48, 93), 1, None)] * 8


def full_range_moving(count):
    frames = moving(count)
    for frame in frames:
        frame.color_range = JPEG
    return frames


def test_a_whole_file_that_repeats_frames_by_null_frames_is_not_called_cut_short(tmp_path):
    path = write(tmp_path / "a.avi", full_range_moving(5), codec="mjpeg", pts=[0, 1, 2, 5, 7])
    with VideoFile(path) as video:
        assert [frame.pts_seconds for frame in video] == pytest.approx([0, 0.1, 0.2, 0.5, 0.7])
        assert (video.frames_expected, video.warnings) == (8, [])
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"idx1") - 2000])
    with VideoFile(path) as video:
        assert len(list(video)) < 5
        assert any("cut short" in warning for warning in video.warnings)


def test_a_whole_file_that_trims_its_beginning_is_not_called_cut_short(tmp_path):
    path = write(tmp_path / "a.mp4", moving(12), pts=range(-3, 9), bf="0", g="12")
    with VideoFile(path) as video:
        assert len(list(video)) == 9
        assert (video.frames_expected, video.warnings) == (12, [])


def test_a_whole_file_whose_last_frame_stands_long_is_not_called_cut_short(tmp_path):
    frames = moving(5)
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for at, frame in enumerate(frames):
            frame.pts, frame.time_base = at, Fraction(1, 10)
            for packet in stream.encode(frame):
                packet.duration = 30 if at == 4 else 1
                container.mux(packet)
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        assert container.duration / av.time_base == pytest.approx(3.4)
    with VideoFile(path) as video:
        assert len(list(video)) == 5
        assert video.warnings == []


def pictures_of_avi(data):
    """Find where the pictures in an AVI file lie."""
    at, found = data.index(b"movi") + 4, []
    while data[at : at + 4] == b"00dc":
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append(slice(at + 8, at + 8 + size))
        at += 8 + size + size % 2
    return found


@pytest.mark.parametrize("damage", ["bits", "end"])
def test_broken_pictures_of_mjpeg_are_counted_and_read_as_far_as_they_go(tmp_path, damage):
    path = write(tmp_path / "a.avi", full_range_moving(12), codec="mjpeg")
    data = bytearray(path.read_bytes())
    pictures = pictures_of_avi(data)
    assert len(pictures) == 12
    for number in (2, 5, 9):
        middle = (pictures[number].start + pictures[number].stop) // 2
        if damage == "end":
            data[middle : pictures[number].stop] = bytes(pictures[number].stop - middle)
        else:
            data[middle : middle + 200] = bytes(byte ^ 0x55 for byte in data[middle : middle + 200])
    path.write_bytes(data)
    with VideoFile(path) as video:
        assert len(list(video)) == 12
        assert video.warnings == ["damaged frames that were read as far as they decode: 3"]


def test_bit_errors_that_are_marked_and_logged_are_counted_once(tmp_path):
    frames = [frame.reformat(format="yuv422p10le") for frame in moving(12)]
    path = write(tmp_path / "a.mkv", frames, codec="prores")
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        spans = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for position, size in (spans[4], spans[8]):
        middle = position + size // 2
        data[middle : middle + size // 4] = bytes(byte ^ 0x5A for byte in data[middle : middle + size // 4])
    path.write_bytes(data)
    with VideoFile(path) as video:
        assert len(list(video)) == 12
        assert video.warnings == ["damaged frames that were read as far as they decode: 2"]


def test_bit_errors_in_ffv1_with_checksums_are_counted(tmp_path):
    path = write(tmp_path / "a.mkv", moving(12), codec="ffv1", level="3", slicecrc="1")
    data = bytearray(path.read_bytes())
    for share in (0.4, 0.7):
        data[int(len(data) * share)] ^= 0x10
    path.write_bytes(data)
    with VideoFile(path) as video:
        assert len(list(video)) == 12
        assert video.warnings == ["damaged frames that were read as far as they decode: 2"]


@pytest.mark.parametrize(("name", "options"), [("a.mp4", {"movflags": "faststart"}), ("a.mkv", {})])
def test_a_file_cut_short_delivers_what_decodes_then_ends_with_a_warning(tmp_path, name, options):
    whole = write(tmp_path / name, moving(30), mux_options=options, bf="0").read_bytes()
    path = tmp_path / f"cut-{name}"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with VideoFile(path) as video:
        frames = list(video)
        assert any("cut short" in warning for warning in video.warnings)
    assert 10 <= len(frames) < 30
    assert [frame.index for frame in frames] == list(range(len(frames)))


def test_a_whole_file_ends_without_a_warning_and_can_be_read_again(tmp_path):
    path = write(tmp_path / "a.mp4", moving(12))
    with VideoFile(path) as video:
        assert (len(list(video)), len(list(video))) == (12, 12)
        assert video.warnings == []
        assert (video.frames_expected, video.rate_hz, video.kind, video.live) == (12, 10.0, "file", False)


def test_arrival_is_stamped_by_the_clock_it_is_given(tmp_path):
    ticks = iter(range(100, 200))
    with VideoFile(write(tmp_path / "a.mp4", moving(3)), clock_ns=lambda: next(ticks)) as video:
        assert [frame.captured_ns for frame in video] == [100, 101, 102]


def test_frames_outlive_the_decoder_and_cannot_be_written(tmp_path):
    with VideoFile(write(tmp_path / "a.mp4", moving(12), bf="0")) as video:
        frames = list(video)
    assert all(not frame.pixels.flags.writeable for frame in frames)
    assert all(frame.pixels.base is None or frame.pixels.base.base is None for frame in frames)
    assert len({frame.pixels.tobytes() for frame in frames}) == 12


def test_close_from_another_thread_ends_the_iteration(tmp_path):
    video = VideoFile(write(tmp_path / "a.mp4", moving(12)))
    frames = iter(video)
    next(frames)
    closer = threading.Thread(target=video.close)
    closer.start()
    closer.join()
    assert list(frames) == []


@pytest.mark.parametrize("content", [b"", b"hello\n" * 500, b"ffconcat version 1.0\nfile a.mp4\n", bytes(5000)])
@pytest.mark.parametrize("suffix", [".mp4", ".txt", ".ffconcat"])
def test_what_is_no_video_is_refused_in_one_line(tmp_path, content, suffix):
    path = tmp_path / f"not a video{suffix}"
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        VideoFile(path)
    assert "not a video" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_picture_of_tiles_is_refused_and_never_one_tile_of_it(tmp_path):
    path = tmp_path / "a.heic"
    with av.open(str(path), "w", format="mp4", options={"brand": "heic"}) as container:
        tiles = [container.add_stream("libx264", rate=1) for _ in range(2)]
        for tile in tiles:
            tile.width, tile.height, tile.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for tile in tiles:
            container.mux(tile.encode(yuv420(patches())))
            container.mux(tile.encode())
    with pytest.raises(SourceError, match=r"tiles.*convert it to PNG or JPEG"):
        VideoFile(path)


def test_sound_without_pictures_is_refused(tmp_path):
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(SourceError, match="no video in it"):
        VideoFile(path)


def test_files_are_closed_however_reading_ends(tmp_path):
    path = write(tmp_path / "a.mp4", moving(5))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("open files can only be counted where /proc is")
    before = len(list(descriptors.iterdir()))
    for _ in range(5):
        with VideoFile(path) as video:
            for _frame in video:
                break
        with pytest.raises(SourceError):
            VideoFile(broken)
    assert len(list(descriptors.iterdir())) == before


# libav may crash on damaged files, so they are read in a process of their own; here a crash would end the tests.
READ_DAMAGED = """
import random, sys
from pathlib import Path
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.readers.files import VideoFile
folder, read = Path(sys.argv[1]), 0
for source in sorted(folder.glob("whole.*")):
    whole = source.read_bytes()
    for seed in range(12):
        rng = random.Random(seed)
        bytes_ = bytearray(whole[: rng.randrange(len(whole) // 2, len(whole))] if seed % 3 == 0 else whole)
        for _ in range(rng.choice((1, 5, 40))):
            bytes_[rng.randrange(len(bytes_))] = rng.randrange(256)
        damaged = folder / ("damaged" + source.suffix)
        damaged.write_bytes(bytes_)
        try:
            with VideoFile(damaged) as video:
                epochs = [frame.epoch for frame in video]
                assert epochs == sorted(epochs)
                read += bool(epochs)
        except SourceError as error:
            assert "\\n" not in str(error)
print(read)
"""


def test_damaged_files_never_raise_anything_but_source_errors(tmp_path):
    for name in ("whole.mp4", "whole.mkv", "whole.ts"):
        write(tmp_path / name, moving(12))
    command = [sys.executable, "-W", "error", "-c", READ_DAMAGED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 12


def test_a_real_clip_is_read_to_its_last_frame_in_full_range(test_data):
    path = test_data / "video" / "glove2.mp4"
    if not path.is_file():
        pytest.skip("the real clip is absent")
    with VideoFile(path) as video:
        count, darkest, brightest = 0, 255, 0
        for frame in video:
            assert frame.pixels.shape == (480, 640)
            assert frame.index == count
            count += 1
            darkest, brightest = min(darkest, int(frame.pixels.min())), max(brightest, int(frame.pixels.max()))
    assert count == 342
    assert (darkest, brightest) == (0, 255)
    assert video.warnings == []
