from pathlib import Path

import pytest

from fetalstream.tui.commands.run import settings_of
from fetalstream.tui.settings.settings import RunSettings, SettingsError, StreamSettings
from tests.tui.commands.parsing import parsed


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "run.toml"
    path.write_text(
        'model = "clip"\nrecord = "/data"\n'
        '[[streams]]\nsource = "a.mp4"\nname = "left"\nspacing_mm = 0.2\n'
        '[[streams]]\nsource = "b.mp4"\nprofile = "room-2"\ndepth_cm = 12\n'
    )
    return str(path)


def test_sources_alone_run_with_the_defaults() -> None:
    assert settings_of(parsed("run", "a.mp4", "phantom:3")) == RunSettings(
        streams=(StreamSettings(source="a.mp4"), StreamSettings(source="phantom:3"))
    )


def test_a_configuration_alone_is_taken_as_it_is(config: str) -> None:
    settings = settings_of(parsed("run", "--config", config))
    assert (settings.model, settings.record) == ("clip", "/data")
    assert [(each.name, each.spacing_mm, each.profile, each.depth_cm) for each in settings.streams] == [
        ("left", 0.2, None, None),
        (None, None, "room-2", 12.0),
    ]


def test_sources_replace_those_of_the_configuration_and_keep_the_rest_of_it(config: str) -> None:
    settings = settings_of(parsed("run", "c.mp4", "--config", config))
    assert settings.streams == (StreamSettings(source="c.mp4"),)
    assert settings.model == "clip"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--spacing", "0.3"], [{"spacing_mm": 0.3, "depth_cm": None}] * 2),
        (["--depth-cm", "9"], [{"spacing_mm": None, "depth_cm": 9.0}] * 2),
        (["--sector", "1,2,30,40"], [{"sector": [1, 2, 30, 40], "profile": None}] * 2),
        (["--profile", "room-1"], [{"profile": "room-1"}] * 2),
    ],
)
def test_options_of_a_stream_hold_for_all_and_end_what_they_replace(
    config: str, argv: list[str], expected: list[dict[str, object]]
) -> None:
    streams = settings_of(parsed("run", "--config", config, *argv)).streams
    assert [
        {name: getattr(stream, name) for name in wanted} for stream, wanted in zip(streams, expected, strict=True)
    ] == expected


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        (["--model", "mini"], "model", "mini"),
        (["--weights", "random"], "weights", "random"),
        (["--prompts", "words"], "prompts", "words"),
        (["--device", "cuda:1"], "device", "cuda:1"),
        (["--precision", "bf16"], "precision", "bf16"),
        (["--pub", "tcp://127.0.0.1:5556"], "pub", "tcp://127.0.0.1:5556"),
        (["--control", "tcp://127.0.0.1:5557"], "control", "tcp://127.0.0.1:5557"),
        (["--record", "elsewhere"], "record", "elsewhere"),
        (["--no-record"], "record", ""),
        (["--embeddings"], "embeddings", True),
    ],
)
def test_options_of_the_run_go_before_the_configuration(config: str, argv: list[str], name: str, value: object) -> None:
    assert getattr(settings_of(parsed("run", "--config", config, *argv)), name) == value


def test_options_that_do_not_go_together_are_one_line(config: str) -> None:
    with pytest.raises(SettingsError, match="depth_cm goes with a sector"):
        settings_of(parsed("run", "a.mp4", "--depth-cm", "12", "--sector", "whole"))
