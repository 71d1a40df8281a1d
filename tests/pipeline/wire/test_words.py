from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
import pytest
from msgspec import inspect

from fetalstream.pipeline.wire.words import arguments, fields, words


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (str, "text"),
        (int, "whole number"),
        (float, "number"),
        (bool, "true or false"),
        (Any, "anything"),
        (Annotated[float, msgspec.Meta(gt=0)], "number above 0"),
        (Annotated[float, msgspec.Meta(ge=0.001, le=10)], "number from 0.001 to 10"),
        (Annotated[float, msgspec.Meta(le=10)], "number up to 10"),
        (Annotated[float, msgspec.Meta(ge=1)], "number from 1"),
        (str | None, "text or null"),
        (int | float | None, "number or null"),
        (Literal["b", "a"], '"a" or "b"'),
        (Literal["a", "b", "c"], '"a", "b" or "c"'),
        (list[str], "list of text"),
        (tuple[float, int], "[number, whole number]"),
        (dict[str, Any], "object"),
    ],
)
def test_a_type_is_said_in_words(kind: Any, said: str) -> None:
    assert words(inspect.type_info(kind)) == said


class Given(msgspec.Struct):
    wanted: str
    may_be: int = 3


class Detail(TypedDict):
    zebra: str
    ant: NotRequired[int]


def test_fields_come_in_the_order_in_which_they_are_written() -> None:
    assert fields(Given) == {"wanted": "text", "may_be": "whole number, optional"}
    assert list(fields(Detail).items()) == [("zebra", "text"), ("ant", "whole number, optional")]
    assert arguments(Given) == ["wanted (text)", "may_be (whole number, optional)"]
