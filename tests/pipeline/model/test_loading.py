import pytest
import safetensors.torch
import torch

from fetalstream.pipeline.errors import ConfigError, ModelError
from fetalstream.pipeline.model import loading, openclip, weights_file
from fetalstream.pipeline.model.loading import load_model
from tests.pipeline.tiny import ARCHITECTURE, tiny_config


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setattr(weights_file.platformdirs, "user_state_path", lambda _: tmp_path / "state")


@pytest.fixture
def state():
    return openclip.build(ARCHITECTURE, seed=9).state_dict()


def save(state, path):
    torch.save(state, path)
    return path


def load(path, **changes):
    return load_model(tiny_config(**changes), weights=path, device="cpu", precision="fp32")


def test_weights_arrive_as_they_were_saved(state, tmp_path):
    path = save(state, tmp_path / "w.pt")
    model = load(path)
    loaded = model.clip.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
    assert (model.weights_from, model.image_size, model.dtype) == ("given", 32, torch.float32)
    assert not model.clip.training
    assert not any(parameter.requires_grad for parameter in model.clip.parameters())
    # What no checkpoint holds must be right too: the mask of the text tower.
    assert torch.isinf(model.clip.attn_mask).sum() == 117 * 116 / 2


def test_half_precision_is_widened(state, tmp_path):
    path = tmp_path / "w.safetensors"
    safetensors.torch.save_file({name: tensor.half().contiguous() for name, tensor in state.items()}, path)
    model = load(path)
    assert {tensor.dtype for tensor in model.clip.state_dict().values()} == {torch.float32}


@pytest.mark.parametrize(("long_bytes", "lines"), [(0, ["checking w.pt", "loading w.pt"]), (2**30, [])])
def test_the_configured_file_is_checked_and_loaded(state, tmp_path, monkeypatch, long_bytes, lines):
    monkeypatch.setattr("fetalstream.pipeline.model.weights_file._LARGE_BYTES", long_bytes)
    path = save(state, tmp_path / "w.pt")
    told = []
    config = tiny_config(weights={"path": str(path)})
    model = load_model(config, device="cpu", precision="fp32", progress=told.append)
    assert model.weights_from == "path"
    assert model.weights_sha256 == weights_file.recorded_sha256(str(path))
    assert told == lines  # only a file that takes long is told of


FAULTS = {
    "missing key": (lambda s: s.pop("visual.proj"), "lacks visual.proj"),
    "extra key": (lambda s: s.update({"visual.extra": torch.ones(1)}), "has unexpected visual.extra"),
    "wrong shape": (
        lambda s: s.update({"visual.proj": torch.ones(32, 8)}),
        r"has wrong shapes for visual.proj \(32, 8\) instead of \(32, 16\)",
    ),
    "another model": (lambda s: [s.pop(name) for name in list(s)[:10]], "and 7 more"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_weights_that_do_not_fit_are_refused_in_one_line_and_nothing_is_loaded(fault, state, tmp_path, monkeypatch):
    spoil, says = FAULTS[fault]
    spoil(state)
    monkeypatch.setattr(torch.nn.Module, "load_state_dict", lambda *_, **__: pytest.fail("something was loaded"))
    with pytest.raises(ModelError, match=says) as refused:
        load(save(state, tmp_path / "w.pt"))
    assert "\n" not in str(refused.value)


def test_a_wrong_sum_stops_before_opening(state, tmp_path, monkeypatch):
    path = save(state, tmp_path / "w.pt")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("the file was opened"))
    config = tiny_config(weights={"path": str(path), "sha256": "f" * 64})
    with pytest.raises(ModelError, match="SHA-256"):
        load_model(config, device="cpu")


def test_weights_that_are_nowhere_say_where_to_put_them():
    with pytest.raises(ModelError, match=r"put them at .*absent.pt, or give --weights PATH"):
        load_model(tiny_config(), device="cpu")


def test_prefixes_are_renamed_and_tables_ignored(state, tmp_path):
    old = {name.replace("visual.", "eye.", 1): tensor for name, tensor in state.items()}
    path = save({**old, "table": torch.arange(4)}, tmp_path / "w.pt")
    weights = {"path": str(path), "rename": {"eye.": "visual."}, "ignore": ["table"]}
    model = load_model(tiny_config(weights=weights), device="cpu", precision="fp32")
    assert torch.equal(model.clip.state_dict()["visual.proj"], state["visual.proj"])


def test_random_weights_have_a_name_of_their_own():
    names = {load_model(tiny_config(), weights="random", device="cpu", seed=seed).weights_sha256 for seed in (0, 0, 1)}
    assert len(names) == 2
    assert all(name.startswith("random-") for name in names)


def test_a_model_file_that_is_wrong_about_the_text_tower():
    with pytest.raises(ModelError, match="causal_text = False"):
        load_model(tiny_config(causal_text=False), weights="random", device="cpu")


@pytest.mark.parametrize(
    ("asked", "configured", "fast", "dtype"),
    [
        ("auto", "auto", True, torch.bfloat16),
        ("auto", "auto", False, torch.float32),
        ("auto", "fp32", True, torch.float32),
        ("bf16", "fp32", False, torch.bfloat16),
        ("fp32", "auto", True, torch.float32),
    ],
)
def test_precision_is_of_the_image_tower_alone(asked, configured, fast, dtype, monkeypatch):
    monkeypatch.setattr(loading, "_cpu_multiplies_bf16", lambda: fast)
    config = tiny_config(precision=configured)
    model = load_model(config, weights="random", device="cpu", precision=asked)
    assert model.dtype == dtype == model.clip.visual.conv1.weight.dtype
    assert model.clip.token_embedding.weight.dtype == torch.float32


@pytest.mark.parametrize(("precision", "fast"), [("int8", True), ("int8", False), ("fp8", True), ("fp8", False)])
def test_a_precision_that_cannot_be_had_is_refused_with_the_one_that_can(precision, fast, monkeypatch):
    monkeypatch.setattr(loading, "_cpu_multiplies_bf16", lambda: fast)
    with pytest.raises(ConfigError, match=f"{precision} .* --precision {'bf16' if fast else 'fp32'}"):
        load_model(tiny_config(), weights="random", device="cpu", precision=precision)


def test_devices_that_are_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="none that torch knows"):
        load_model(tiny_config(), weights="random", device="gpu")
    with pytest.raises(ModelError, match="not available"):
        load_model(tiny_config(), weights="random", device="cuda")


def test_list_pull_and_verify(state, tmp_path, monkeypatch):
    path = tmp_path / "w.pt"
    config = tiny_config(weights={"path": str(path)})
    monkeypatch.setattr(loading, "model_names", lambda: ["tiny"])
    monkeypatch.setattr(loading, "load_model_config", lambda _: config)
    assert [status.path for status in loading.list_models()] == [None]
    for ask in (loading.verify, loading.pull):
        with pytest.raises(ModelError, match="not here: put them at"):
            ask("tiny")
    save(state, path)
    assert loading.pull("tiny").path == path
    verified = loading.verify("tiny")
    assert (verified.pinned, verified.tensors) == (False, len(state))
    state.pop("visual.proj")
    save(state, path)
    with pytest.raises(ModelError, match="first time"):
        loading.verify("tiny")
