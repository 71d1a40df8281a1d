"""``fetalstream sources``: the capture devices of this machine and their formats."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import msgspec

from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.option_parts import Commands, add_command, json_option
from fetalstream.tui.state.text import plain

if TYPE_CHECKING:
    from fetalstream.streamer.live.devices import Device, Format


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(commands, "sources", "list the capture devices, and the formats that they offer")
    json_option(parser, "one JSON line")
    return parser


def run(options: argparse.Namespace) -> int:
    """List the capture devices of this machine."""
    show_sources(as_json=options.json)
    return DONE


def show_sources(*, as_json: bool) -> None:
    """Print a line for each device and each of its formats, or one JSON line."""
    from fetalstream.streamer.live.devices import best_format, devices
    from fetalstream.streamer.source_formats import EXAMPLES

    found = devices()
    if as_json:
        print(msgspec.json.encode({"devices": [_plain(device) for device in found]}).decode())
        return
    for device in found:
        print(f"{device.source}  {plain(device.name)}{f': {device.trouble}' if device.trouble else ''}")
        best = best_format(list(device.formats))
        for offered in device.formats:
            print(f"    {_words(offered)}{'  (taken unless told otherwise)' if offered == best else ''}")
    print("No capture device was found." if not found else "Ask for another with ?format=, &size= and &rate=.")
    print(f"All kinds of sources: {EXAMPLES}; see fetalstream run --help.")


def _plain(device: Device) -> dict[str, Any]:
    return {
        "source": device.source,
        "name": plain(device.name),
        "trouble": device.trouble,
        "formats": [
            {"format": each.format, "width": each.size[0], "height": each.size[1], "rate_hz": each.rate_hz}
            for each in device.formats
        ],
    }


def _words(offered: Format) -> str:
    rate = "" if offered.rate_hz is None else f"&rate={offered.rate_hz:g}"
    return f"?format={offered.format}&size={offered.size[0]}x{offered.size[1]}{rate}"
