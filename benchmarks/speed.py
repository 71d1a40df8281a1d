"""How fast a scan is analysed here, with the plain way of using the same model beside it in the same run.

Both read the same clip from disk: an H.264 film of the phantom, 640x480. The plain way is that of a quick start: OpenCV
reads a frame, PIL and open_clip prepare it, ``encode_image`` runs on one picture at a time in fp32; text features are
there beforehand. Ours is the whole pipeline: decode, signal and quality, preprocessing, encoder, heads, ages,
smoothing, keyframes and messages. Frames differ from one another, since repeated pictures would be reused.

Run: ``python benchmarks/speed.py [--seconds 20] [--fetalclip-frames 6]``. One JSON line comes last.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import av
import cv2
import torch
from PIL import Image

from pipeline import wire
from pipeline.engine import Engine
from pipeline.openclip import import_open_clip
from pipeline.ready import Ready, load_ready
from pipeline.streams import stream_of
from streamer.frame import Frame, Pixels
from streamer.phantom.source import PhantomSource
from streamer.sources import Source, open_source


class Counting:
    """A sink that counts, and that makes each message's bytes as a publisher would."""

    def __init__(self) -> None:
        self.readings = 0

    def send(self, message: wire.Message, blob: bytes | None = None) -> None:
        wire.encode(message)
        if isinstance(message, wire.Reading):
            self.readings += 1

    def preview(self, stream: str, exam: str, frame: wire.FrameInfo, pixels: Pixels) -> None: ...


def film(path: Path, frames: int) -> float:
    """The phantom as a film; returns the spacing of its first frames, mm per pixel."""
    source = PhantomSource(7)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"crf": "16", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for frame in itertools.islice(source, frames):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame.pixels, format="gray").reformat(format="yuv420p")))
        out.mux(stream.encode())
    return source.truth(0).spacing_mm


def ours(ready: Ready, clip: Path, spacing_mm: float | None, frames: int) -> float:
    """Frames a second of the whole pipeline; without a spacing no ages are read."""
    sink = Counting()
    source: Source = _First(open_source(str(clip), spacing_mm=spacing_mm), frames)
    stream = stream_of(source, "stream-1", "bench", ready.facts, ready.banks.gestation, every_frame=True)
    begun = time.perf_counter()
    Engine(ready.encoder, [stream], sink).run()
    return sink.readings / (time.perf_counter() - begun)


class _First:
    """The first frames of a source."""

    def __init__(self, source: Source, frames: int) -> None:
        self._source, self._frames = source, frames

    def __getattr__(self, name: str):
        return getattr(self._source, name)

    def __iter__(self):
        frame: Frame
        for frame in itertools.islice(self._source, self._frames):
            yield frame


@torch.inference_mode()
def naive(ready: Ready, clip: Path, frames: int) -> float:
    """Frames a second of the plain loop."""
    config, clip_model = ready.model.config, ready.model.clip.float()
    open_clip = import_open_clip()
    size = ready.model.image_size
    transform = open_clip.image_transform(size, is_train=False, mean=config.mean, std=config.std)
    text = torch.from_numpy(ready.banks.planes)
    film = cv2.VideoCapture(str(clip))
    begun, done = time.perf_counter(), 0
    while done < frames:
        read, pixels = film.read()
        if not read:
            break
        picture = transform(Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)))
        features = clip_model.encode_image(picture[None])
        (100 * features / features.norm(dim=-1, keepdim=True) @ text.T).softmax(dim=-1).numpy()
        done += 1
    return done / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="length of the film for mini")
    parser.add_argument("--fetalclip-frames", type=int, default=6, help="0 leaves FetalCLIP out")
    args = parser.parse_args()
    said: dict[str, object] = {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
    }
    frames = round(30 * args.seconds)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "phantom.mp4"
        spacing_mm = film(clip, frames)
        for name, weights, count in (("mini", None, frames), ("fetalclip", "random", args.fetalclip_frames)):
            if not count:
                continue
            print(f"{name}: loading", file=sys.stderr)
            ready = load_ready(name, weights=weights)
            ready.encoder.warm_up()
            # FetalCLIP's 875 age sentences cost a minute a spacing; without a spacing only pictures are timed.
            per_second = ours(ready, clip, None if weights else spacing_mm, count)
            plain = naive(ready, clip, count)
            said[name] = {
                "precision": str(ready.model.dtype).removeprefix("torch."),
                "pipeline_fps": round(per_second, 3),
                "seconds_a_frame": round(1 / per_second, 4),
                "naive_fps": round(plain, 3),
                "ratio": round(per_second / plain, 2),
            }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
