"""Video over the network, through PyAV: RTSP cameras, MPEG-TS and the like. See `streamer.live.live_video`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import av
from av.container import InputContainer
from av.error import ProtocolNotFoundError

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.live.addresses import ESCAPES, identity_of, redacted, scheme_of
from fetalstream.streamer.live.live_source import SILENCE_SECONDS
from fetalstream.streamer.live.live_video import OPEN_SECONDS, LiveVideo

_MICROSECONDS = 1_000_000
_CONNECT_SECONDS = 4

# A stream may name other addresses: each scheme reaches no further than it needs.
_PROTOCOLS = {
    "rtsp": "rtp,rtcp,udp,tcp,rtsp",
    "rtsps": "rtp,srtp,udp,tcp,tls,rtsp,rtsps",
    "http": "http,tcp",
    "https": "https,tls,tcp",
    "srt": "srt",
    "udp": "udp",
    "tcp": "tcp",
}
# No play lists, which name other files: only what carries the video itself.
_FORMATS = "rtsp,rtp,sdp,mpegts,mpjpeg,mjpeg,jpeg_pipe,flv,mov,mp4,matroska,webm,h264,hevc,mpeg,mpegvideo,ogg,asf,nut"
_PLAY_LISTS = (".m3u8", ".m3u", ".mpd")


def open_network(
    url: str, *, spacing_mm: float | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
) -> LiveVideo:
    """Make a source that connects when it is iterated, and again whenever it is lost.

    Args:
        url: with user and password if they are needed; they are never shown. ``#deinterlace=on`` at its end takes
            the comb out of interlaced video. RTSP goes over TCP; ``?udp`` at the end of its path asks for UDP.
        spacing_mm: see `LiveVideo`.
        clock_ns: the monotonic clock.

    Raises:
        SourceError: the address cannot be used.
    """
    address, _, wish = url.partition("#")
    if wish not in ("", "deinterlace=on", "deinterlace=off"):
        raise SourceError(f"after # an address takes deinterlace=on or deinterlace=off only; {ESCAPES}", redacted(url))
    _check(address)
    return LiveVideo(
        "network",
        lambda _: _connected(address),
        identity_of(address),
        spacing_mm=spacing_mm,
        deinterlace=wish == "deinterlace=on",
        clock_ns=clock_ns,
    )


def _check(url: str) -> None:
    scheme = scheme_of(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SourceError(
            f"the address cannot be read; give scheme://host:port/path; {ESCAPES}", redacted(url)
        ) from None
    if not host and scheme == "udp":
        port_shown = "PORT" if port is None else port
        raise SourceError(f"the address names no host; udp://0.0.0.0:{port_shown} listens on all interfaces", scheme)
    if not host:
        raise SourceError("the address names no host; give scheme://host:port/path", scheme)
    if port is None and scheme in ("tcp", "udp", "srt"):
        raise SourceError(f"the address names no port; give {scheme}://host:port", redacted(url))
    if parts.path.lower().endswith(_PLAY_LISTS):
        raise SourceError(
            "play lists (HLS, DASH) are not read; give the stream itself, as rtsp:// or as MPEG-TS over http://",
            redacted(url),
        )


def _connected(url: str) -> InputContainer:
    scheme = str(scheme_of(url))
    try:
        return av.open(
            url,
            container_options=_options(url, scheme),
            metadata_errors="replace",
            timeout=(OPEN_SECONDS, SILENCE_SECONDS),
        )
    except ProtocolNotFoundError:
        raise SourceError(
            f"the installed PyAV knows no {scheme}://; build it against an FFmpeg that does"
            " (pip install --no-binary av av), or send MPEG-TS over tcp:// or udp://"
        ) from None


def _options(url: str, scheme: str) -> dict[str, str]:
    options = {
        "protocol_whitelist": _PROTOCOLS[scheme],
        "format_whitelist": _FORMATS,
        # A short look at what comes, so that pictures come soon; FFmpeg's own choice takes seconds.
        "analyzeduration": str(_MICROSECONDS // 2),
        "probesize": str(1 << 20),
        "fpsprobesize": "3",
    }
    if scheme in ("rtsp", "rtsps", "tcp", "http", "https"):
        # A host that is switched off does not refuse; it does not answer.
        options["timeout"] = str(_CONNECT_SECONDS * _MICROSECONDS)
    if scheme in ("rtsp", "rtsps") and not re.search(r"[?&](udp|udp_multicast|http|tcp)(&|$)", url):
        options["rtsp_transport"] = "tcp"
    if scheme == "udp":
        options |= {"overrun_nonfatal": "1", "fifo_size": str(1 << 15), "reuse": "1"}
    return options
