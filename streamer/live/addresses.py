"""Addresses of sources: which there are, and what of them may be said. They may hold passwords and patients' names."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

from fetalstream.streamer.errors import shown

NETWORK_SCHEMES = ("rtsp", "rtsps", "http", "https", "srt", "udp", "tcp")


def scheme_of(name: str) -> str | None:
    """What stands before the first colon, lower case; None where the name is no address."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", name)
    return found[1].lower() if found else None


def redacted(name: str) -> str:
    """An address fit for messages: scheme, host and port. Users, passwords, paths and queries are left out.

    Cameras take passwords in all of these places.
    """
    scheme = scheme_of(name)
    if scheme is None:
        return shown(re.sub(r".*@", "", name))
    try:
        parts = urlsplit(name)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host:
        return f"{scheme}:"
    return shown(f"{scheme}://{f'[{host}]' if ':' in host else host}{'' if port is None else f':{port}'}")


def identity_of(name: str) -> str:
    """SHA-256 (hex) of an address without user and password: another password does not make another source."""
    parts = urlsplit(name)
    told = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()
