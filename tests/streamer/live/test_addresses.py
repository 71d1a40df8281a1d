import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fetalstream.streamer.errors import SourceError, shown
from fetalstream.streamer.live.addresses import identity_of, redacted, scheme_of, without_addresses
from fetalstream.streamer.sources import open_source


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rtsp://operator:s3cret@10.0.0.7:554/live?token=s3cret", "rtsp://10.0.0.7:554"),
        ("rtsp://10.0.0.7/user=admin&password=s3cret", "rtsp://10.0.0.7"),
        ("rtsp://user:s3cret@[fe80::1]:554/x", "rtsp://[fe80::1]:554"),
        ("srt://host:9000?passphrase=s3cret", "srt://host:9000"),
        ("tcp://u:s3cret@host:notaport", "tcp:"),
        ("http://u:s3cret", "http:"),
        ("rtsp://viewer:S3@Clinic77#x@192.0.2.5:554/cam", "rtsp:"),
        ("rtsp://viewer:12/s3cret@host/cam", "rtsp:"),
        ("rtsp://viewer:77?s3cret@host/cam", "rtsp:"),
        ("u:s3cret@host", "host"),
        ("u:s3\ncret@host", "host"),
        ("/u s3cret@host", "host"),
    ],
)
def test_only_scheme_host_and_port_are_told(name, told):
    assert redacted(name) == told


@given(st.text(st.characters(exclude_characters="@/?#[]:\\", exclude_categories=("Cs", "C", "Z")), min_size=5))
def test_no_password_is_ever_told(secret):
    secret = f"~{secret}~"
    for name in (f"rtsp://user:{secret}@host/path", f"rtsp://{secret}@host:1/", f"http://host/{secret}?a={secret}"):
        assert secret.lower() not in redacted(name).lower()


_PASSWORDS = st.text(st.sampled_from("@#/?:;&=%[]\\ '\"\nx7"), min_size=1).map(lambda text: f"q{text}ZZ")


@given(_PASSWORDS)
@example("q@Clinic77#x")
def test_no_part_of_a_password_is_told_whatever_it_is_made_of(password):
    name = f"rtsp://viewer:{password}@192.0.2.5:554/cam"
    parts = [part for part in re.split(r"[@#/?:;&=%\[\]\\ '\"\n]", password) if len(part) > 1]
    told = [redacted(name), shown(name), without_addresses(f"not understood: {name}; see --help")]
    told += [str(SourceError(f"cannot open {name}")), SourceError("x", name).reason, str(SourceError("x", name))]
    with pytest.raises(SourceError) as caught:
        list(open_source(f"{name}#nothing", spacing_mm=-1))
    with pytest.raises(SourceError) as also_caught:
        open_source(f"{name}#nothing")
    for text in (*told, str(caught.value), str(also_caught.value)):
        assert not [part for part in parts if part in text], text


@pytest.mark.parametrize("name", ["rtsp://viewer:Summer@Clinic77#x@192.0.2.5:554/cam", "rtsp://viewer:a/b@host/cam"])
def test_how_to_write_such_a_password_is_said(name):
    with pytest.raises(SourceError, match="write # as %23, / as %2F"):
        open_source(name)


def test_another_password_is_the_same_source_and_another_path_is_not():
    assert identity_of("rtsp://a:b@host/1") == identity_of("rtsp://c:d@host/1") == identity_of("rtsp://host/1")
    assert identity_of("rtsp://host/1") != identity_of("rtsp://host/2")


def test_a_scheme_stands_before_a_colon():
    assert scheme_of("RTSP://x") == "rtsp"
    assert scheme_of("clip.mp4") is None
