import numpy as np
import pytest
import torch

from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.captions import AGE_TEMPLATES
from fetalstream.pipeline.readout.gestation import GRID_DAYS
from fetalstream.pipeline.training import text_tower
from fetalstream.pipeline.training.concepts import Concepts
from fetalstream.pipeline.training.text_tower import SPACINGS_MM, age_sentences, head_px, plain_sentences
from fetalstream.streamer.growth import who_hc_mm
from tests.pipeline.tiny import ARCHITECTURE, PROMPTS

PLANES, SUBPLANES = ["brain", "femur", "other"], ["trans-thalamic"]


@pytest.fixture
def concepts():
    return Concepts(PLANES, SUBPLANES, 64)


def test_a_head_of_twice_the_spacing_has_half_the_pixels():
    assert head_px(140, 0.5) == pytest.approx(who_hc_mm(20) / 0.5)
    assert head_px(140, 1.0) == pytest.approx(head_px(140, 0.5) / 2)
    assert head_px(200, 0.5) > head_px(140, 0.5)


def test_every_sentence_is_sent_to_the_concept_of_its_label(concepts):
    sentences, targets = plain_sentences(concepts, PROMPTS)
    assert targets.shape == (len(sentences), 64)
    vectors = dict(zip([*PLANES, *SUBPLANES], [*concepts.plane_vectors(), *concepts.subplane_vectors()], strict=True))
    for words, label in (("a head", "brain"), ("a thigh bone", "femur"), ("nothing to see", "other"),
                         ("two thalami", "trans-thalamic")):  # fmt: skip
        rows = [row for row, sentence in enumerate(sentences) if sentence == words]
        assert len(rows) >= 6  # the product's own sentences weigh most
        torch.testing.assert_close(targets[rows], vectors[label].expand(len(rows), -1))
    assert not targets.requires_grad


def test_other_wordings_of_each_label_are_among_the_sentences(concepts):
    sentences, _ = plain_sentences(concepts, PROMPTS)
    assert {"ultrasound of the fetal brain", "the thigh bone", "find the thalami", "placenta."} <= set(sentences)


def test_sentences_about_age_stand_for_the_pixels_that_they_imply():
    sentences, sizes = age_sentences(40, PROMPTS, np.random.default_rng(0))
    assert (len(sentences), sizes.shape) == (40, (40,))
    low, high = (head_px(day, mm) for day, mm in ((GRID_DAYS[0], SPACINGS_MM[1]), (GRID_DAYS[-1], SPACINGS_MM[0])))
    assert ((sizes >= 0.99 * low) & (sizes <= 1.01 * high)).all()
    assert len(set(sentences)) > 30


def test_the_numbers_of_a_sentence_are_the_ones_that_its_size_is_made_of():
    sentences, sizes = age_sentences(30, PROMPTS, np.random.default_rng(1))
    template = AGE_TEMPLATES[1]  # "fetal brain, {weeks}w{days}d, spacing {spacing} mm"
    prefix = template.split("{", 1)[0]
    own = [(sentence, size) for sentence, size in zip(sentences, sizes.tolist(), strict=True)
           if sentence.startswith(prefix)]  # fmt: skip
    assert own
    for sentence, size in own:
        age, spacing = sentence.removeprefix(prefix).removesuffix(" mm").split(", spacing ")
        weeks, days = age.removesuffix("d").split("w")
        assert size == pytest.approx(head_px(7 * int(weeks) + int(days), float(spacing)), rel=1e-5)


def test_training_moves_sentences_to_their_concepts_and_leaves_the_image_tower(concepts, capsys):
    clip = openclip.build({**ARCHITECTURE, "embed_dim": 64}, seed=0).train().requires_grad_(True)
    before = {name: value.clone() for name, value in clip.visual.state_dict().items()}
    tokenize = openclip.tokenizer(ARCHITECTURE)

    def distance():
        sentences, targets = plain_sentences(concepts, PROMPTS)
        with torch.no_grad():
            vectors = openclip.encode_text(clip, tokenize(sentences[::6]))
        return float((torch.nn.functional.normalize(vectors, dim=-1) - targets[::6]).square().sum(dim=1).mean())

    began = distance()
    text_tower.train(clip, tokenize, concepts, PROMPTS, steps=40, seed=0, batch=16, peak_rate=1e-2)
    assert distance() < 0.7 * began
    assert all(torch.equal(before[name], value) for name, value in clip.visual.state_dict().items())
    assert capsys.readouterr().err.startswith("text tower: step 40/40")
