"""The kinds of sources there are: which names mean them, and what opens them. A new kind is one line here.

Nothing is imported before it is needed: a phantom needs neither libav nor Pillow, and help texts need none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from fetalstream.streamer.live.addresses import NETWORK_SCHEMES, scheme_of
from fetalstream.streamer.readers.local_path import local_path


class SourceFormat(NamedTuple):
    """One kind of source.

    Attributes:
        matches: tells whether a name means this kind.
        opener: module and function, ``module:function`` below `fetalstream.streamer`, imported when a source is opened:
            ``function(name, spacing_mm=..., clock_ns=...)`` returns a `streamer.sources.Source`.
        example: how a person writes it; empty if it is a second spelling.
        more: what else may be written, for the help.
    """

    matches: Callable[[str], bool]
    opener: str
    example: str = ""
    more: str = ""


def _is_device(name: str) -> bool:
    return re.match(r"/dev/(video[0-9]|v4l/)", name) is not None


def _is_dicom(name: str) -> bool:
    path = local_path(name)
    if path is None:
        return False
    from fetalstream.streamer.dicom.clip import dicom_files
    from fetalstream.streamer.dicom.header import is_dicom

    return bool(dicom_files(path)) if path.is_dir() else path.is_file() and is_dicom(path)


def _is_images(name: str) -> bool:
    path = local_path(name)
    if path is None:
        return False
    from fetalstream.streamer.readers.folders import IMAGE_SUFFIXES

    return path.is_dir() or (path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES)


def _is_file(name: str) -> bool:
    path = local_path(name)
    return path is not None and path.is_file()


def _scheme(*schemes: str) -> Callable[[str], bool]:
    """Match addresses of these schemes; an existing path comes first, whatever it looks like."""
    return lambda name: scheme_of(name) in schemes and local_path(name) is None


FORMATS: Final = (
    SourceFormat(_is_device, "live.camera:open_camera"),
    SourceFormat(_is_dicom, "dicom.clip:open_dicom", "a DICOM file", "or a folder of them"),
    SourceFormat(_is_images, "readers.folders:open_images", "a folder of images"),
    SourceFormat(_is_file, "readers.files:open_video", "a video file"),
    SourceFormat(
        _scheme("camera"),
        "live.camera:open_camera",
        "camera:0",
        "a capture card; ?format=mjpeg&size=1920x1080&rate=60&deinterlace=on",
    ),
    SourceFormat(
        _scheme(*NETWORK_SCHEMES),
        "live.network:open_network",
        "rtsp://host/path",
        "or rtsps, http, https, srt, udp or tcp",
    ),
    SourceFormat(
        _scheme("igtl"),
        "live.igtl:open_igtl",
        "igtl://host:port",
        "OpenIGTLink; /DEVICE if several pictures are sent",
    ),
    SourceFormat(_scheme("phantom"), "phantom.source:open_phantom", "phantom:SEED", "a made-up scan"),
)
"""In the order in which they are tried: what exists on disk comes before any address."""

EXAMPLES: Final = ", ".join(each.example for each in FORMATS if each.example)
