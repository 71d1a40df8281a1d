import pytest

from fetalstream.tui.settings.settings import RunSettings, SettingsError, StreamSettings, read_settings


def test_streams_are_numbered_unless_named():
    streams = (StreamSettings(source="a"), StreamSettings(source="b", name="probe"), StreamSettings(source="c"))
    assert [stream.name for stream in RunSettings(streams=streams).named()] == ["stream-1", "probe", "stream-3"]


def test_a_file_says_all_that_the_command_line_can(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(
        'model = "fetalclip"\nrecord = "x"\npub = "tcp://127.0.0.1:5556"\n'
        'retention = { older_than = "30d", keep = "20GB" }\n'
        '[[streams]]\nsource = "a.mp4"\nname = "left"\nspacing_mm = 0.2\nsector = [1, 2, 300, 400]\n'
    )
    settings = read_settings(path)
    assert (settings.model, settings.device, settings.record) == ("fetalclip", "auto", "x")
    assert settings.retention is not None
    assert settings.retention.limits() == (2_592_000, 20_000_000_000)
    assert settings.streams == (StreamSettings(source="a.mp4", name="left", spacing_mm=0.2, sector=[1, 2, 300, 400]),)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("modle = 'mini'", "modle"),
        ("model = " + "[" * 100_000, "configuration"),
        *(
            (f"[[streams]]\nsource = 'a'\nspacing_mm = {mm}", "streams[0].spacing_mm")
            for mm in ("0", "true", "1e308", "1e-320", "inf", "nan", "0.0099", "2.01")
        ),
        ("[[streams]]\nsource = 'a'\nsector = [0, 0, 0, 5]", "sector must be"),
        ("[[streams]]\nsource = 'a'\nname = 'Jane Doe 1990'", "streams[0].name"),
        ("retention = { older_than = '30 days' }", "must be hours, days or weeks"),
        ("retention = { keep = 20 }", "retention.keep"),
        ("retention = {}", "retention needs"),
        ("model = ", "run.toml"),
        ("\x00", "run.toml"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path, text, named):
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as wrong:
        read_settings(path)
    assert named in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"no\.toml cannot be read: No such file"):
        read_settings(tmp_path / "no.toml")


def test_without_a_source_there_is_nothing_to_run():
    with pytest.raises(SettingsError, match="no source"):
        RunSettings().named()


def test_the_scale_is_said_once(tmp_path):
    path = tmp_path / "run.toml"
    for more in ("spacing_mm = 0.2", 'sector = "whole"'):
        path.write_text(f'[[streams]]\nsource = "clip.mp4"\ndepth_cm = 12.0\n{more}\n')
        with pytest.raises(SettingsError, match="depth_cm"):
            read_settings(path)
    path.write_text('[[streams]]\nsource = "clip.mp4"\ndepth_cm = 12.0\n')
    assert read_settings(path).streams[0].depth_cm == 12.0
