"""The true extent of a phantom's body, for tests that judge where something points."""

import cv2
import numpy as np

from fetalstream.streamer.phantom.beam import CANVAS_HEIGHT, CANVAS_WIDTH, HEIGHT, WIDTH
from fetalstream.streamer.phantom.canvas import Canvas
from fetalstream.streamer.phantom.view import View, _draw_body


def structure(view: View):
    """The pixels ``(480, 640)`` that the body in view covers: those drawn alike over black and over white."""
    drawn = []
    for behind in (0, 255):
        canvas = Canvas(CANVAS_HEIGHT, CANVAS_WIDTH, (view.setting.layout.apex_x / 2, view.setting.layout.apex_y / 2))
        canvas.level[:] = behind
        if view.plane is not None:
            _draw_body(canvas, view)
        drawn.append(canvas.level)
    own = (drawn[0] == drawn[1]).astype(np.uint8)
    return cv2.resize(own, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST).astype(np.bool_)
