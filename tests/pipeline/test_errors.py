import pytest

from fetalstream.pipeline.errors import ConfigError, DeviceFault, EngineFault, ModelError
from fetalstream.streamer.errors import UserError


@pytest.mark.parametrize("kind", [ConfigError, DeviceFault, EngineFault, ModelError])
def test_every_error_is_one_that_a_person_is_told(kind):
    assert issubclass(kind, UserError)
    assert kind.__doc__
    assert str(kind("one line")) == "one line"


def test_a_lost_device_ends_the_engine_and_a_wrong_option_does_not():
    assert issubclass(DeviceFault, EngineFault)
    assert not issubclass(ConfigError, EngineFault)
    assert not issubclass(ModelError, EngineFault)
