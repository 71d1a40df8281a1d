import dataclasses

import pytest

from fetalstream.streamer.status import SourceStatus


def test_a_status_is_of_one_moment_and_does_not_change():
    status = SourceStatus()
    with pytest.raises(dataclasses.FrozenInstanceError):
        status.trouble = "no answer in time"
    later = dataclasses.replace(status, state="failed", trouble="no answer in time")
    assert (status.state, status.trouble) == ("running", None)
    assert later != status
