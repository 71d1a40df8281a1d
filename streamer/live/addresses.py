"""Addresses of sources: they may hold passwords and patients' names, so only a part of them may be shown."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

from fetalstream.streamer.errors import shown, without_credentials

ESCAPES = "in a user or password write # as %23, / as %2F and ? as %3F"

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"]*")
_AUTHORITY = re.compile(r"[^:]*:(//)?[^/?#]*")

NETWORK_SCHEMES = ("rtsp", "rtsps", "http", "https", "srt", "udp", "tcp")


def scheme_of(name: str) -> str | None:
    """Return the scheme, which stands before the first colon, in lower case; None if the name is no address."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", name)
    return found[1].lower() if found else None


def redacted(name: str) -> str:
    """Return an address fit for messages: scheme, host and port. Users, passwords, paths and queries are left out.

    Cameras take passwords in all of these places. Only the scheme is left if an ``@`` comes after the first ``/``,
    ``?`` or ``#``: a password that holds one of these makes its own beginning look like the host.
    """
    scheme = scheme_of(name)
    if scheme is None:
        return shown(name.rpartition("@")[2])
    if "@" in _AUTHORITY.sub("", name, count=1):
        return f"{scheme}:"
    try:
        parts = urlsplit(name)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host:
        return f"{scheme}:"
    return shown(f"{scheme}://{f'[{host}]' if ':' in host else host}{'' if port is None else f':{port}'}")


def without_addresses(text: str) -> str:
    """Return a text in which `redacted` was applied to every address with ``://`` in it."""
    return _ADDRESS.sub(lambda found: redacted(found[0]), without_credentials(text))


def identity_of(name: str) -> str:
    """Return the SHA-256 (hex) of an address without user and password: another password is not another source."""
    parts = urlsplit(name)
    plain = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
    return hashlib.sha256(plain.encode(errors="surrogateescape")).hexdigest()
