import io

import av
import pytest

from fetalstream.streamer.readers.ebml import SEGMENT, Element, damaged_clusters, elements
from fetalstream.streamer.readers.files import VideoFile
from tests.streamer.clips import moving, write


def flipped(path, share):
    """Flips a bit in the middle of the packet that lies at a share of all packets."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        spans = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    position, size = spans[int(len(spans) * share)]
    data[position + size // 2] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize(("codec", "options"), [("libvpx-vp9", {}), ("ffv1", {"level": "1"})])
def test_bit_errors_that_a_decoder_takes_for_a_picture_are_told_by_the_checksums(tmp_path, codec, options):
    path = write(tmp_path / "a.mkv", moving(30), codec=codec, mux_options={"cluster_time_limit": "500"}, **options)
    assert damaged_clusters(path) == 0
    with VideoFile(path) as video:
        assert len(list(video)) == 30
        assert video.warnings == []
    flipped(path, 0.3)
    flipped(path, 0.8)
    assert damaged_clusters(path) == 2
    with VideoFile(path) as video:
        assert len(list(video)) == 30
        assert video.warnings == [
            "parts with bit errors (their checksum differs), whose frames may be broken: 2",
        ]


def test_a_cluster_that_is_cut_off_is_not_called_damaged(tmp_path):
    path = write(tmp_path / "a.mkv", moving(12), codec="ffv1")
    path.write_bytes(path.read_bytes()[:-9000])
    assert damaged_clusters(path) == 0


@pytest.mark.parametrize("data", [b"", bytes(300), b"\xff" * 300, bytes(range(256)) * 4])
def test_what_is_no_matroska_has_no_clusters(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    assert damaged_clusters(tmp_path / "a") == 0
    assert damaged_clusters(tmp_path / "b") == 0


def test_elements_are_found_side_by_side_and_those_of_unknown_length_reach_to_the_end():
    data = bytes.fromhex("ec82 0000  1853806782 0102  ec80  18538067ff 05")
    assert list(elements(io.BytesIO(data), 0, len(data), SEGMENT)) == [
        Element(9, 11, whole=True),
        Element(18, 19, whole=False),
    ]
