import itertools
import threading

import numpy as np
import pytest

from fetalstream.streamer.frame import Frame
from fetalstream.streamer.in_process_source import InProcessSource
from fetalstream.streamer.status import SourceStatus


class Counting(InProcessSource):
    kind = "test"

    def __iter__(self):
        for index in itertools.count():
            if self._closed.is_set():
                return
            yield Frame(np.zeros((2, 2), np.uint8), index, index / 30, index)


def test_close_ends_the_iteration_of_another_thread_at_its_next_frame():
    source, seen = Counting(), []
    begun = threading.Event()

    def read():
        for frame in source:
            seen.append(frame.index)
            begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(10)
    source.close()
    reader.join(10)
    assert not reader.is_alive()
    assert seen == list(range(len(seen)))


def test_leaving_the_block_closes_whatever_happened_in_it():
    source = Counting()
    with pytest.raises(ZeroDivisionError), source:
        raise ZeroDivisionError
    assert list(source) == []
    source.close()  # and once more does no harm


def test_a_warning_is_told_once():
    source = Counting()
    for text in ("one", "two", "one"):
        source.warn(text)
    assert source.warnings == ["one", "two"]


def test_it_fares_well_and_is_never_given_up():
    source = Counting()
    source.resume()
    assert source.status == SourceStatus("running")
    assert source.masker is None
    assert not source.live
