"""Saves the newest best frame of a plane as a PNG: masked, at full resolution. Needs only pyzmq.

fetalstream run phantom:3 --headless --pub tcp://127.0.0.1:5556 --control tcp://127.0.0.1:5557
python examples/last_keyframe.py tcp://127.0.0.1:5557 brain brain.png
"""

import sys
from pathlib import Path

from control_client import ask


def main(endpoint: str, plane: str, file: str) -> None:
    kept = [each for each in ask(endpoint, "keyframes", {})[0]["keyframes"] if each["plane"] == plane]
    if not kept:
        sys.exit(f"no frame of {plane} is kept yet")
    newest = max(kept, key=lambda each: each["published_ns"])
    _, png = ask(endpoint, "keyframe", {"keyframe": newest["keyframe"]})
    Path(file).write_bytes(png)
    print(f"{file}: {plane}, score {newest['score']}. {newest['notice']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
