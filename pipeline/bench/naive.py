"""The naive loop is the baseline, as in FetalCLIP's quick start: one frame after another, nothing overlapped."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import torch
from PIL import Image

from fetalstream.pipeline.model.loading import LoadedModel
from fetalstream.pipeline.model.openclip import import_open_clip
from fetalstream.pipeline.model.textbank import TextBanks


@torch.inference_mode()
def naive_fps(model: LoadedModel, banks: TextBanks, film: Path, seconds: float) -> float:
    """Measure frames a second of OpenCV → PIL → open_clip's transform → ``encode_image`` in batches of 1.

    Text features are computed beforehand.

    Args:
        model: the model in float32; on CUDA it runs under autocast.
        banks: text vectors of the same model.
        film: video file that is read from its beginning, again and again.
        seconds: duration; at least one frame is measured, after one that warms up.
    """
    config = model.config
    transform = import_open_clip().image_transform(model.image_size, is_train=False, mean=config.mean, std=config.std)
    texts = torch.from_numpy(banks.planes).to(model.device)
    reader = cv2.VideoCapture(str(film))
    begun_s, done = 0.0, -1
    with torch.autocast("cuda", enabled=model.device.type == "cuda"):
        while done < 1 or time.perf_counter() - begun_s < seconds:
            if done == 0:
                begun_s = time.perf_counter()
            read, pixels = reader.read()
            if not read:
                reader = cv2.VideoCapture(str(film))
                continue
            picture = transform(Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)))
            features = model.clip.encode_image(picture[None].to(model.device))  # pyright: ignore[reportCallIssue]
            features = features.float() / features.float().norm(dim=-1, keepdim=True)
            (100 * features @ texts.T).softmax(dim=-1).cpu().numpy()
            done += 1
    reader.release()
    return done / (time.perf_counter() - begun_s)
