import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.live.addresses import identity_of, redacted, scheme_of


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rtsp://operator:s3cret@10.0.0.7:554/live?token=s3cret", "rtsp://10.0.0.7:554"),
        ("rtsp://10.0.0.7/user=admin&password=s3cret", "rtsp://10.0.0.7"),
        ("rtsp://user:s3cret@[fe80::1]:554/x", "rtsp://[fe80::1]:554"),
        ("srt://host:9000?passphrase=s3cret", "srt://host:9000"),
        ("tcp://u:s3cret@host:notaport", "tcp:"),
        ("http://u:s3cret", "http:"),
        ("u:s3cret@host", "host"),
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


def test_another_password_is_the_same_source_and_another_path_is_not():
    assert identity_of("rtsp://a:b@host/1") == identity_of("rtsp://c:d@host/1") == identity_of("rtsp://host/1")
    assert identity_of("rtsp://host/1") != identity_of("rtsp://host/2")


def test_a_scheme_stands_before_a_colon():
    assert scheme_of("RTSP://x") == "rtsp"
    assert scheme_of("clip.mp4") is None
