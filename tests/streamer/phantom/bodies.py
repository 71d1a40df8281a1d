"""Bodies of the phantom drawn alone, and what holds for each of them."""

import numpy as np

from fetalstream.streamer.phantom.canvas import Canvas, Pose
from fetalstream.streamer.phantom.fetus import make_fetus

POSE = Pose(160.0, 120.0, 0.3, 1, 1.6)
BACKGROUND = 60


def fetus(seed=3, days=170.0):
    return make_fetus(np.random.default_rng(seed), days)


def blank():
    canvas = Canvas(240, 320, (160.0, -60.0))
    canvas.level[:] = BACKGROUND
    return canvas


def drawn(body, who=None, z=0.0, share=1.0, pose=POSE):
    canvas = blank()
    body(canvas, pose, who or fetus(), z, share)
    return canvas


def levels(body, **how):
    return drawn(body, **how).level.astype(int)


def area(body, **how):
    return (drawn(body, **how).level != BACKGROUND).sum()


def lies_at_its_place_and_is_always_the_same(body):
    canvas = drawn(body)
    ys, xs = np.nonzero(canvas.level != BACKGROUND)
    assert len(xs) > 1000
    assert abs(xs.mean() - POSE.x) < 60
    assert abs(ys.mean() - POSE.y) < 60
    np.testing.assert_array_equal(canvas.level, drawn(body).level)
    np.testing.assert_array_equal(canvas.bone, drawn(body).bone)


def shows_its_landmarks_on_the_plane_alone(body):
    on_plane, half, off = (levels(body, share=share) for share in (1.0, 0.5, 0.0))
    assert np.abs(on_plane - off).mean() > 0.3
    assert np.abs(on_plane - half).mean() < np.abs(on_plane - off).mean()


def looks_different_on_either_side_of_the_plane(body):
    assert np.abs(levels(body, z=-0.7, share=0.1) - levels(body, z=0.7, share=0.1)).mean() > 0.1


def grows_with_age(body):
    assert area(body, who=fetus(days=200)) > 1.2 * area(body, who=fetus(days=115))


HOLDS = (
    lies_at_its_place_and_is_always_the_same,
    shows_its_landmarks_on_the_plane_alone,
    looks_different_on_either_side_of_the_plane,
    grows_with_age,
)


def any_fetus_and_pose(strategies):
    """Arguments of `drawn` beside the body."""
    return {
        "who": strategies.builds(fetus, strategies.integers(0, 10**6), strategies.floats(105, 245)),
        "z": strategies.floats(-1.5, 1.5),
        "share": strategies.floats(0, 1),
        "pose": strategies.builds(
            Pose, strategies.floats(-400, 700), strategies.floats(-400, 700), strategies.floats(-7, 7),
            strategies.sampled_from([-1, 1]), strategies.floats(0.5, 6),
        ),
    }  # fmt: skip


def is_whole(canvas):
    assert canvas.level.shape == canvas.bone.shape == (240, 320)
    assert canvas.level.dtype == canvas.bone.dtype == np.uint8
    assert canvas.bone.max() <= 60
