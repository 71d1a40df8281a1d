import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.errors import SourceError, shown, without_credentials


def test_the_name_comes_first_and_the_reason_stands_alone_too():
    error = SourceError("cannot be read; check its rights", "clip.mp4")
    assert str(error) == "clip.mp4: cannot be read; check its rights"
    assert error.reason == "cannot be read; check its rights"
    assert str(SourceError("no source was given")) == "no source was given"


def test_a_scheme_alone_is_no_two_colons():
    assert str(SourceError("no host", "rtsp:")) == "rtsp: no host"


@given(st.text(min_size=1))
def test_a_name_never_breaks_a_line_or_a_terminal(name):
    assert shown(name).isprintable()
    assert str(SourceError("x", name)).isprintable()


def test_names_that_are_no_text_are_shown_as_far_as_they_are():
    assert shown("a\udcffb\x1b[31mc") == "a?b?[31mc"
    assert shown(7) == "7"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("rtsp://me:s3cret@host/x failed", "rtsp://host/x failed"),
        ("a http://h/p?token=s3cret&x=1 b", "a http://h/p?token=...&x=... b"),
        ("srt://h:9?passphrase=s3cret", "srt://h:9?passphrase=..."),
        ("rtsp://10.0.0.7/user=admin&password=s3cret", "rtsp://10.0.0.7/user=...&password=..."),
        ("rtsp://h/a;pwd=s3cret'", "rtsp://h/a;pwd=...'"),
        ("/data/a@b=c?d=e.mp4 has no end", "/data/a@b=c?d=e.mp4 has no end"),
        ("put #region=1 or #region=2 behind it", "put #region=1 or #region=2 behind it"),
        ("after # an address takes deinterlace=on", "after # an address takes deinterlace=on"),
    ],
)
def test_credentials_go_and_the_rest_stays(text, left):
    assert without_credentials(text) == left
    assert SourceError(text).reason == left


@given(st.text(), st.text())
def test_taking_credentials_out_twice_is_taking_them_out(before, after):
    once = without_credentials(f"{before}rtsp://me:s3cret@{after}")
    assert "s3cret" not in once
    assert without_credentials(once) == once
