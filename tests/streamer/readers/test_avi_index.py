import struct

from fetalstream.streamer.readers.avi_index import null_frames


def avi(entries, *, before=b"LIST"):
    index = b"".join(struct.pack("<4sIII", name, 16, 4, size) for name, size in entries)
    lists = before + struct.pack("<I", 5) + b"movi1" + b"\0"  # of odd length: a byte follows that does not count
    body = b"AVI " + lists + b"idx1" + struct.pack("<I", len(index)) + index
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_frames_without_bytes_are_counted_for_the_stream_that_is_asked_for(tmp_path):
    path = tmp_path / "a.avi"
    path.write_bytes(avi([(b"00dc", 9), (b"00dc", 0), (b"01wb", 0), (b"01dc", 0), (b"00db", 0), (b"00dc", 7)]))
    assert null_frames(path, 0) == 2
    assert null_frames(path, 1) == 1
    assert null_frames(path, 2) == 0


def test_without_an_index_there_are_none(tmp_path):
    path = tmp_path / "a.avi"
    assert null_frames(path, 0) == 0
    for data in (b"", b"RIFF", avi([(b"00dc", 0)])[:30], bytes(400)):
        path.write_bytes(data)
        assert null_frames(path, 0) == 0
