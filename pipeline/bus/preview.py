"""Makes small pictures for the screen, a few a second, as JPEG. Passive."""

from __future__ import annotations

from typing import Final

import cv2

from fetalstream.pipeline import wire
from fetalstream.streamer.frame import Pixels

LARGEST_SIDE_PX: Final = 640
"""More than a terminal can show; a larger frame is shrunk, its aspect kept."""

JPEG_QUALITY: Final = 80
_SECOND_NS: Final = 1_000_000_000


class PreviewMaker:
    """Makes at most ``rate_hz`` previews a second of each stream."""

    def __init__(self, rate_hz: float) -> None:
        self._apart_ns = round(_SECOND_NS / rate_hz)
        self._due_ns: dict[str, int] = {}

    def update(
        self, stream: str, exam: str, frame: wire.FrameInfo, pixels: Pixels, now_ns: int
    ) -> tuple[wire.Preview, bytes] | None:
        """Return the preview and its JPEG if it is time for one, else None.

        Args:
            stream: on the wire.
            exam: the examination it belongs to.
            frame: the frame that is shown.
            pixels: masked, uint8 (H, W) or RGB (H, W, 3).
            now_ns: monotonic.
        """
        due_ns = self._due_ns.get(stream, now_ns)
        if now_ns < due_ns:
            return None
        # Counting from when it was due keeps the mean rate if frames come a little late; a pause is not made up for.
        next_ns = due_ns + self._apart_ns
        self._due_ns[stream] = next_ns if next_ns > now_ns else now_ns + self._apart_ns
        jpeg, width, height = encoded(pixels)
        return wire.Preview(stream=stream, exam=exam, frame=frame, width=width, height=height), jpeg


def encoded(pixels: Pixels) -> tuple[bytes, int, int]:
    """Return the JPEG of uint8 (H, W) or RGB (H, W, 3), its width and its height.

    Pictures that are larger are shrunk to `LARGEST_SIDE_PX`. A comment in the file carries the notice.
    """
    scale = LARGEST_SIDE_PX / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(pixels.dtype)
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
    note = wire.NOTICE.encode()
    # A comment segment (COM, ITU-T T.81 B.2.4.5) right after the start of the image.
    comment = b"\xff\xfe" + (len(note) + 2).to_bytes(2, "big") + note
    return jpeg[:2] + comment + jpeg[2:], pixels.shape[1], pixels.shape[0]
