"""The fast path against a plain one: PIL, open_clip's own transform and encoders, float32, one real image at a time.

Random weights give all pictures nearly the same feature, so features are compared with the batch's mean taken off.
The two large architectures read the age of one or two pictures, at a few days and with two templates: the plain path
takes two minutes for the 875 sentences of one spacing. ``mini`` reads all of them.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fetalstream.pipeline.inference.encoder import Encoder, Item
from fetalstream.pipeline.model import openclip, textbank
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.heads import label_probabilities
from fetalstream.pipeline.model.loading import LoadedModel, load_model
from fetalstream.pipeline.model.preprocess import Preprocess, input_spacing_mm
from fetalstream.pipeline.model.prompts import Prompts, gestation_sentence, load_prompts
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.pipeline.model.weights_file import locate
from fetalstream.pipeline.readout.gestation import GRID_DAYS

SPACING_MM = 0.13
MAX_PIXEL = 2.0  # of 255, before normalisation
MIN_COSINE = 0.999
MAX_SCORE = 0.01
FEW_DAYS = GRID_DAYS[::80]


@dataclass(frozen=True)
class Answers:
    """inputs (N, 3, S, S) normalised, features (N, D) unit, rows (dated, days), planes (N, P) probabilities."""

    inputs: torch.Tensor
    features: torch.Tensor
    rows: torch.Tensor
    planes: torch.Tensor


@dataclass(frozen=True)
class Case:
    model: LoadedModel
    prompts: Prompts
    pictures: list[np.ndarray]
    reference: Answers

    @property
    def std(self) -> torch.Tensor:
        return torch.tensor(self.model.config.std).reshape(3, 1, 1)


def real_pictures(test_data: Path, count: int) -> list[np.ndarray]:
    """Gray frames (H, W); every other one cut to a portrait, so that both directions of padding are seen."""
    files = sorted((test_data / "hc18" / "images").glob("*.png"))
    if len(files) < count:
        pytest.skip("real heads are absent: hc18/images holds too few")
    # The first at full size, where a resize without antialias shows most.
    files = [*sorted((test_data / "hc18_full_size").rglob("*.png"))[:1], *files[:: len(files) // count]][:count]
    pictures = [np.asarray(Image.open(file).convert("L")) for file in files]
    return [p if i % 2 == 0 else p[:, p.shape[1] // 3 : p.shape[1] // 3 * 2 + 1] for i, p in enumerate(pictures)]


def padded_by_pil(picture: Image.Image) -> Image.Image:
    side = max(picture.size)
    square = Image.new(picture.mode, (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square


def reference_inputs(model: LoadedModel, pictures: list[np.ndarray], pad=padded_by_pil) -> torch.Tensor:
    transform = openclip.import_open_clip().image_transform(
        model.image_size, is_train=False, mean=model.config.mean, std=model.config.std
    )
    return torch.stack([transform(pad(Image.fromarray(picture).convert("RGB"))) for picture in pictures])


def reference_features(model: LoadedModel, inputs: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return torch.cat([model.clip.encode_image(one[None], normalize=True) for one in inputs])


def reference_text(model: LoadedModel, sentences: list[str]) -> torch.Tensor:
    with torch.inference_mode():
        return model.clip.encode_text(model.tokenizer(sentences), normalize=True)


def reference_rows(model, prompts, pictures, features, days) -> torch.Tensor:
    """100 · image · text for each template and day, then the mean over templates, picture by picture."""
    texts = {}
    rows = []
    for picture, feature in zip(pictures, features, strict=True):
        spacing = max(picture.shape) / model.image_size * SPACING_MM
        key = f"{spacing:.2f}"
        if key not in texts:
            texts[key] = torch.stack(
                [
                    reference_text(model, [gestation_sentence(template, day, spacing) for day in days])
                    for template in prompts.gestation
                ]
            )
        rows.append((100 * texts[key] @ feature).mean(dim=0))
    return torch.stack(rows)


def reference_planes(model, prompts, features) -> torch.Tensor:
    means = [reference_text(model, list(sentences)).mean(dim=0) for sentences in prompts.planes.values()]
    texts = torch.nn.functional.normalize(torch.stack(means), dim=-1)
    return torch.softmax(100 * features @ texts.T, dim=-1)


def reference_answers(model, prompts, pictures, days, dated) -> Answers:
    inputs = reference_inputs(model, pictures)
    features = reference_features(model, inputs)
    return Answers(
        inputs,
        features,
        reference_rows(model, prompts, pictures[:dated], features[:dated], days),
        reference_planes(model, prompts, features),
    )


def fast_answers(case: Case) -> Answers:
    model = case.model
    banks = TextBanks(model, case.prompts, None)
    items = [Item(picture) for picture in case.pictures]
    for i, picture in enumerate(case.pictures[: len(case.reference.rows)]):
        spacing = input_spacing_mm(*picture.shape, SPACING_MM, model.image_size)
        items[i] = Item(picture, banks.gestation(spacing))
    scores = Encoder(model, banks).submit(items).result()
    preprocess = Preprocess(model.image_size, model.config.mean, model.config.std, model.device, model.dtype)
    return Answers(
        torch.stack([preprocess(picture) for picture in case.pictures]),
        torch.from_numpy(np.stack([s.embedding for s in scores])),
        torch.from_numpy(np.stack([s.gestation_row for s in scores if s.gestation_row is not None])),
        torch.from_numpy(np.stack([label_probabilities(s.plane_cosines) for s in scores])),
    )


def disagreements(case: Case, inputs: torch.Tensor, features: torch.Tensor) -> list[str]:
    """What of the inputs and features is further from the reference than allowed."""
    found = []
    pixel = float(((inputs - case.reference.inputs) * case.std * 255).abs().max())
    if pixel > MAX_PIXEL:
        found.append(f"inputs differ by {pixel:.2f} of 255")
    cosine = float(cosines_without_mean(features, case.reference.features).min())
    if not cosine >= MIN_COSINE:
        found.append(f"features have cosine {cosine:.5f}")
    return found


def cosines_without_mean(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cosine_similarity(a - a.mean(dim=0), b - b.mean(dim=0))


def assert_parity(case: Case) -> None:
    fast = fast_answers(case)
    assert disagreements(case, fast.inputs, fast.features) == []
    assert float((fast.rows - case.reference.rows).abs().max()) <= MAX_SCORE
    assert float((fast.planes - case.reference.planes).abs().max()) <= MAX_SCORE


def few(prompts: Prompts) -> Prompts:
    """Four planes of two sentences and two templates: what is compared is the path, not the sentences."""
    return replace(
        prompts,
        planes={label: sentences[:2] for label, sentences in list(prompts.planes.items())[:4]},
        subplanes={},
        other=(),
        gestation=prompts.gestation[:2],
    )


def large_case(name: str, test_data: Path, count: int, dated: int) -> Case:
    pictures = real_pictures(test_data, count)
    config = load_model_config(name)
    model = load_model(config, weights="random", device="cpu", precision="fp32", seed=1)
    prompts = few(load_prompts(config.prompts_folder))
    return Case(model, prompts, pictures, reference_answers(model, prompts, pictures, FEW_DAYS, dated))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait for each other at every small layer are far slower than one where the cores are busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def few_days(monkeypatch):
    monkeypatch.setattr(textbank, "GRID_DAYS", FEW_DAYS)


@pytest.fixture(scope="module")
def mobile(test_data: Path) -> Case:
    return large_case("mobilefetalclip", test_data, 4, dated=2)


def test_mobilefetalclip_architecture_agrees_with_the_plain_path(mobile: Case, few_days):
    assert_parity(mobile)


@pytest.mark.check  # 430 million weights; mobilefetalclip and mini are compared in every run
def test_fetalclip_architecture_agrees_with_the_plain_path(test_data: Path, few_days):
    assert_parity(large_case("fetalclip", test_data, 3, dated=1))


def test_mini_agrees_with_the_plain_path(test_data: Path):
    config = load_model_config("mini")
    if locate(config, download=False) is None:
        pytest.skip("the bundled weights are not in this checkout yet")
    pictures = real_pictures(test_data, 4)
    model = load_model(config, device="cpu", precision="fp32")
    prompts = load_prompts(config.prompts_folder)
    case = Case(model, prompts, pictures, reference_answers(model, prompts, pictures, GRID_DAYS, dated=3))
    assert case.reference.rows.shape == (3, 175)
    assert_parity(case)


def no_padding(case: Case) -> torch.Tensor:
    return reference_inputs(case.model, case.pictures, pad=lambda picture: picture)


def padding_in_a_corner(case: Case) -> torch.Tensor:
    def corner(picture: Image.Image) -> Image.Image:
        square = Image.new(picture.mode, (max(picture.size),) * 2)
        square.paste(picture, (0, 0))
        return square

    return reference_inputs(case.model, case.pictures, pad=corner)


def no_antialias(case: Case) -> torch.Tensor:
    def shrunk(picture: Image.Image) -> Image.Image:
        square = torch.from_numpy(np.array(padded_by_pil(picture))).permute(2, 0, 1)[None].float()
        size = (case.model.image_size,) * 2
        small = torch.nn.functional.interpolate(square, size=size, mode="bicubic", antialias=False)[0]
        return Image.fromarray(small.round().clamp(0, 255).byte().permute(1, 2, 0).numpy())

    return reference_inputs(case.model, case.pictures, pad=shrunk)


def limited_range_luma(case: Case) -> torch.Tensor:
    squeezed = [(16 + picture.astype(np.float32) * 219 / 255).round().astype(np.uint8) for picture in case.pictures]
    return reference_inputs(case.model, squeezed)


def wrong_statistics(case: Case) -> torch.Tensor:
    another = load_model_config("fetalclip")
    assert another.mean != case.model.config.mean
    return reference_inputs(replace(case.model, config=another), case.pictures)


@pytest.mark.parametrize("fault", [no_padding, padding_in_a_corner, no_antialias, limited_range_luma, wrong_statistics])
def test_the_comparison_bites(mobile: Case, fault):
    inputs = fault(mobile)
    found = disagreements(mobile, inputs, reference_features(mobile.model, inputs))
    assert any(each.startswith("inputs") for each in found), found
