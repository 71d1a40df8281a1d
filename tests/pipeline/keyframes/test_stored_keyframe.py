import cv2
import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.keyframes.stored_keyframe import (
    FROZEN_BONUS,
    StoredKeyframe,
    in_plane_part,
    owned,
    score_of,
    score_parts,
)

QUALITY = wire.Quality(contrast=0.6, sharpness=0.5, steadiness=0.8)


def taken(score=0.5, *, plane="brain", at=0.0, epoch=0, index=0, chosen_by="score", value=7, shape=(4, 6)):
    return StoredKeyframe(
        pixels=np.full(shape, value, np.uint8),
        plane=plane,
        subplane=None,
        score=score,
        parts={"probability": score},
        frame=wire.FrameInfo(index=index, epoch=epoch, pts_seconds=at, captured_ns=0),
        gestation=None,
        chosen_by=chosen_by,
    )


def test_parts_and_a_negative_margin():
    assert score_parts(0.9, 0.7, QUALITY) == {
        "probability": 0.9, "margin": 0.7, "contrast": 0.6, "sharpness": 0.5, "steadiness": 0.8,
    }  # fmt: skip
    assert score_of(score_parts(0.9, -0.2, QUALITY)) == 0


def test_a_score_is_the_product_of_its_weighted_parts():
    assert score_of(score_parts(0.9, 0.7, QUALITY, 0.8)) == pytest.approx(
        0.9**0.025 * 0.7**0.05 * 0.6 * 0.5**0.05 * 0.8**0.005 * 0.8**0.4
    )
    assert score_of({}) is None


def test_where_nobody_knows_how_well_a_plane_is_hit_margin_and_probability_count_fully():
    told, doubtful = (score_of(score_parts(0.9, margin, QUALITY)) for margin in (0.8, 0.4))
    assert doubtful == pytest.approx(told / 2)
    known, less = (score_of(score_parts(0.9, margin, QUALITY, 1.0)) for margin in (0.8, 0.4))
    assert less > 0.95 * known


def test_a_better_hit_outweighs_a_moving_probe():
    held = score_of(score_parts(0.99, 0.95, wire.Quality(contrast=0.7, sharpness=0.6, steadiness=0.9), 0.92))
    swept = score_of(score_parts(0.95, 0.95, wire.Quality(contrast=0.72, sharpness=0.6, steadiness=0.2), 0.96))
    assert swept > held


def test_a_frozen_frame_has_a_bonus_that_is_told_and_a_score_of_one_at_most():
    live, frozen = score_parts(0.9, 0.7, QUALITY), score_parts(0.9, 0.7, QUALITY, frozen=True)
    assert frozen == {**live, "frozen": FROZEN_BONUS}
    assert score_of(frozen) == pytest.approx(FROZEN_BONUS * score_of(live))
    perfect = wire.Quality(contrast=1.0, sharpness=1.0, steadiness=1.0)
    assert score_of(score_parts(1.0, 1.0, perfect, frozen=True)) == 1.0


def test_how_well_a_plane_is_hit_counts_where_its_probability_has_long_come_close_to_one():
    parts = [in_plane_part(other, 6.0) for other in (1.0, 0.9, 0.5, 0.02, 0.004, 0.0026, 0.0)]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0.0, 1.0)
    assert parts[2] == 0.5
    assert parts[5] > 1.03 * parts[4]  # 0.996 and 0.9974 of probability


def test_the_message_says_all_but_the_picture():
    stored = taken(0.5, chosen_by="operator")
    message = stored.message()
    assert message.keyframe == stored.keyframe
    assert (message.plane, message.score, message.chosen_by, message.rank) == ("brain", 0.5, "operator", 0)
    assert stored.message(None).rank is None
    wire.encode(message)


def test_the_png_is_the_picture_bit_for_bit():
    rng = np.random.default_rng(1)
    for shape in ((5, 7), (5, 7, 3)):
        pixels = rng.integers(0, 256, shape, dtype=np.uint8)
        base = taken()
        stored = StoredKeyframe(pixels, "brain", None, 0.5, {}, base.frame, None)
        read = cv2.imdecode(np.frombuffer(stored.png(), np.uint8), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(read if len(shape) == 2 else read[..., ::-1], pixels)


def test_a_kept_cut_out_holds_nothing_of_what_was_round_it():
    frame = np.zeros((40, 60), np.uint8)
    kept = owned(frame[5:9, 5:11])
    assert kept.base is None
    assert not kept.flags.writeable
    assert owned(frame) is frame
