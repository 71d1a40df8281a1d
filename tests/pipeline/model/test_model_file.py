import pytest

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.model.config import load_model_config, model_names
from fetalstream.pipeline.model.model_file import write_model_file


@pytest.mark.parametrize("name", model_names())
def test_what_is_written_is_read_as_the_same(name, tmp_path):
    config = load_model_config(name)
    write_model_file(tmp_path / "own.toml", config)
    again = load_model_config(tmp_path / "own.toml")
    assert again.folder == str(tmp_path.resolve())
    for field in config.__struct_fields__:
        if field != "folder":
            assert getattr(again, field) == getattr(config, field), field


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        write_model_file(tmp_path / "absent" / "own.toml", load_model_config("mini"))
