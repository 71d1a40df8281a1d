import hashlib
import pickle
from pathlib import Path

import huggingface_hub
import pytest
import safetensors.torch
import torch
from huggingface_hub.errors import LocalEntryNotFoundError

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.model import weights_file
from tests.pipeline.tiny import tiny_config


def silent(_: str) -> None: ...


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setattr(weights_file.platformdirs, "user_state_path", lambda _: tmp_path / "state")


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "weights.pt"
    torch.save({"a": torch.ones(2)}, path)
    return path


def read(path: Path):
    return weights_file.read(weights_file.named_by_user(path, silent))


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_pinned_sum_that_is_right(file):
    checked = weights_file.check(tiny_config(weights={"path": str(file), "sha256": sha(file)}), file, silent)
    assert (checked.sha256, checked.source) == (sha(file), "path")


def test_a_wrong_sum_is_refused_before_the_file_is_opened(file, monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("the file was opened"))
    with pytest.raises(ModelError, match="not loaded") as refused:
        weights_file.check(tiny_config(weights={"path": str(file), "sha256": "0" * 64}), file, silent)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("weights", "told", "not_told"),
    [
        ({"bundled": "w.pt"}, "install fetalstream again", "models pull"),
        ({"repo": "a/b", "file": "w.pt"}, "delete {file} and run `fetalstream models pull tiny`", "install"),
        ({"path": "w.pt"}, "put them at", "models pull"),
    ],
)
def test_a_wrong_sum_says_what_really_mends_it(file, weights, told, not_told):
    with pytest.raises(ModelError) as refused:
        weights_file.check(tiny_config(weights={**weights, "sha256": "0" * 64}), file, silent)
    assert told.format(file=file.resolve()) in str(refused.value)
    assert not_told not in str(refused.value)


def test_the_first_sum_is_recorded_and_a_change_is_an_error(file):
    config = tiny_config(weights={"path": str(file)})
    first = weights_file.check(config, file, silent)
    assert weights_file.recorded_sha256(config.weights.identity) == first.sha256
    assert weights_file.check(config, file, silent) == first
    torch.save({"a": torch.zeros(2)}, file)
    with pytest.raises(ModelError, match=r"the first time it was seen .*delete its line in .*weights\.json"):
        weights_file.check(config, file, silent)


def test_a_damaged_record_is_not_taken_for_an_empty_one(file, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "weights.json").write_text('{"half')
    with pytest.raises(ModelError, match="damaged"):
        weights_file.check(tiny_config(weights={"path": str(file)}), file, silent)


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": s}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_wrapped_and_prefixed_checkpoints(tmp_path, wrap, prefix):
    path = tmp_path / "w.pt"
    torch.save(wrap({f"{prefix}a.weight": torch.arange(3.0)}), path)
    assert read(path)["a.weight"].tolist() == [0, 1, 2]


def test_safetensors(tmp_path):
    path = tmp_path / "w.safetensors"
    safetensors.torch.save_file({"a": torch.ones(2, dtype=torch.float16)}, path)
    assert read(path)["a"].dtype == torch.float16


class Evil:
    def __reduce__(self):
        return (Path.touch, (Path("/tmp/fetalstream-test-evil"),))


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize(
    "content",
    [b"", b"not a checkpoint", b"\x00" * 1000, b"PK\x03\x04 broken zip", pickle.dumps([1, 2]), pickle.dumps(Evil())],
    ids=["empty", "text", "zeros", "zip", "list", "code"],
)
def test_what_is_no_checkpoint_is_refused_in_one_line(tmp_path, suffix, content):
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(ModelError) as refused:
        read(path)
    assert "\n" not in str(refused.value)
    assert not Path("/tmp/fetalstream-test-evil").exists()


@pytest.mark.parametrize("saved", [{}, {"a": 1}, {"a": {"b": torch.ones(1)}}, torch.ones(3), {1: torch.ones(1)}])
def test_a_checkpoint_of_something_else(tmp_path, saved):
    path = tmp_path / "w.pt"
    torch.save(saved, path)
    with pytest.raises(ModelError):
        read(path)


def test_a_truncated_checkpoint(file):
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match="not a checkpoint"):
        read(file)


HUB = {"repo": "someone/some-model", "file": "w.pt", "revision": "v1"}


def test_a_file_in_the_local_cache_needs_no_network(file, monkeypatch):
    asked = []

    def download(**where):
        asked.append(where)
        return str(file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert weights_file.locate(tiny_config(weights=HUB), download=True) == file
    assert asked == [{"repo_id": "someone/some-model", "filename": "w.pt", "revision": "v1", "local_files_only": True}]


def test_offline_is_one_line_and_not_downloading_is_none(monkeypatch):
    def download(*, local_files_only=False, **_):
        raise LocalEntryNotFoundError("not here") if local_files_only else ConnectionError("no route\nto host")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    config = tiny_config(weights=HUB)
    assert weights_file.locate(config, download=False) is None
    with pytest.raises(ModelError, match="check the network") as refused:
        weights_file.locate(config, download=True)
    assert "\n" not in str(refused.value)


def test_a_given_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        weights_file.named_by_user(tmp_path / "none.pt", silent)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_the_bytes_that_were_hashed_are_loaded_though_another_file_has_taken_the_name(tmp_path, suffix):
    path, other = tmp_path / f"w{suffix}", tmp_path / f"other{suffix}"
    for file, value in ((path, 1.0), (other, 666.0)):
        state = {"a": torch.full((2,), value)}
        safetensors.torch.save_file(state, file) if suffix == ".safetensors" else torch.save(state, file)
    pinned = sha(path)
    checked = weights_file.check(tiny_config(weights={"path": str(path), "sha256": pinned}), path, silent)
    other.replace(path)
    assert sha(path) != pinned
    assert weights_file.read(checked)["a"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02h\x05.",  # an object that was never put into the memo
        b"\x80\x020.",  # nothing on the stack
        b"\x80\x02" + b"(" * 100_000 + b"l" * 100_000 + b".",
        b"\x80\x02]q\x00" + b"h\x00" * 3 + b"\x85R.",
    ],
    ids=["memo", "empty stack", "deep", "reduce"],
)
def test_made_up_pickles_end_in_one_line(tmp_path, content):
    path = tmp_path / "w.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError) as refused:
        read(path)
    assert "\n" not in str(refused.value)
