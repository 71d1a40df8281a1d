import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.model.config import GestationConstants, ModelConfig, Weights, load_model_config, model_names
from fetalstream.pipeline.model.model_file import toml_of, write_model_file
from fetalstream.pipeline.readout.openset import OpenSet, OperatingPoint
from fetalstream.pipeline.readout.temporal import Temporal

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.floats(-1e9, 1e9)
shares = st.floats(0, 1)
some_above_none = st.floats(1e-9, 1e9)
whole = st.integers(-(2**63), 2**63 - 1)


def written_and_read(config, folder):
    write_model_file(folder / "own.toml", config)
    again = load_model_config(folder / "own.toml")
    assert again.folder == str(folder.resolve())
    return msgspec.structs.replace(again, folder=config.folder)


@pytest.mark.parametrize("name", model_names())
def test_what_is_written_is_read_as_the_same(name, tmp_path):
    config = load_model_config(name)
    assert written_and_read(config, tmp_path) == config


@settings(deadline=None, max_examples=30)
@given(
    st.builds(
        ModelConfig,
        name=st.from_regex(r"[a-z0-9][a-z0-9._-]*", fullmatch=True),
        description=words,
        licence=words,
        architecture=words
        | st.dictionaries(
            words,
            st.recursive(
                words | numbers | whole | st.booleans(),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
                max_leaves=8,
            ),
            max_size=4,
        ),
        weights=st.builds(Weights, path=words, rename=st.dictionaries(words, words), ignore=st.just(("a", '"b"'))),
        mean=st.tuples(numbers, numbers, numbers),
        std=st.tuples(some_above_none, some_above_none, some_above_none),
        temporal=st.none() | st.builds(Temporal, dwell_seconds=some_above_none, evidence_seconds=some_above_none),
        open_set=st.none()
        | st.builds(
            OpenSet,
            typical=st.dictionaries(words, numbers, min_size=1),
            well_hit=st.none() | some_above_none,
            operating_point=st.none() | st.builds(OperatingPoint, shares, shares),
        ),
        gestation=st.none() | st.builds(GestationConstants, st.just(((98.0, 4.5), (200.0, 7.0))), st.none() | shares),
        calibrated_on=st.none() | words,
    )
)
def test_whatever_is_written_is_read_as_the_same(config):
    with tempfile.TemporaryDirectory() as folder:
        assert written_and_read(config, Path(folder)) == config


def test_what_is_not_known_is_left_out_at_every_depth():
    assert toml_of({"a": None, "b": {"c": None, "d": {"e": 1, "f": None}}}) == "[b.d]\ne = 1\n"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        write_model_file(tmp_path / "absent" / "own.toml", load_model_config("mini"))
