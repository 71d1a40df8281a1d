import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from fetalstream.tui.pictures.kept_pictures import MOST, KeptPictures, on_disk


class Bench:
    """Notes what was asked for, and hands out pictures when a test likes."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waiting: list[Callable[[], Awaitable[None]]] = []
        self.pictures = KeptPictures(self.fetch, self.waiting.append)

    async def fetch(self, keyframe: str) -> bytes | None:
        self.asked.append(keyframe)
        return None if keyframe == "gone" else keyframe.encode()

    def arrive(self) -> None:
        async def all_of_them() -> None:
            for each in self.waiting:
                await each()

        asyncio.run(all_of_them())
        self.waiting.clear()


def test_a_picture_is_fetched_once_and_one_that_nobody_has_is_not_asked_for_again() -> None:
    bench = Bench()
    assert bench.pictures.get("a") is None
    assert bench.pictures.get("a") is None
    assert bench.pictures.get("gone") is None
    bench.arrive()
    assert bench.pictures.get("a") == b"a"
    assert bench.pictures.get("gone") == b""
    assert bench.asked == ["a", "gone"]


def test_only_so_many_are_held_and_those_not_looked_at_go_first() -> None:
    bench = Bench()
    for name in [*map(str, range(MOST)), "0", "new"]:
        bench.pictures.get(name)
        bench.arrive()
    assert bench.pictures.get("0") == b"0"
    assert bench.pictures.get("1") is None


def test_a_picture_that_the_engine_let_go_of_is_read_from_the_session(tmp_path: Path) -> None:
    (tmp_path / "keyframes" / "brain").mkdir(parents=True)
    (tmp_path / "keyframes" / "brain" / "abc.png").write_bytes(b"picture")
    (tmp_path / "secret.png").write_bytes(b"secret")
    assert on_disk(tmp_path, "abc") == b"picture"
    assert on_disk(tmp_path, "other") is None
    assert on_disk(tmp_path, "../../secret") is None
    assert on_disk(tmp_path, "*") is None
    assert on_disk(None, "abc") is None
