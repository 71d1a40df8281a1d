"""Files spoiled by seed: cut, overwritten, shuffled, with a liking for their first bytes, where the lengths stand."""

import random

_HEAD = 1024


def spoiled(whole, seed):
    rng = random.Random(seed)
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 4))):
        rng.choice((_cut, _bytes, _bytes, _bits, _block, _moved, _number))(data, rng)
    return bytes(data)


def _place(data, rng):
    return rng.randrange(min(len(data), _HEAD) if rng.random() < 0.4 else len(data))


def _cut(data, rng):
    del data[rng.randrange(len(data) // 4, len(data)) :]


def _bytes(data, rng):
    for _ in range(rng.choice((1, 4, 30, 300))):
        data[_place(data, rng)] = rng.randrange(256)


def _bits(data, rng):
    for _ in range(rng.choice((1, 8, 64))):
        data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _block(data, rng):
    at, size = _place(data, rng), rng.choice((16, 500, 9000))
    filler = rng.choice((b"\0", b"\xff"))
    data[at : at + size] = filler * min(size, len(data) - at)


def _moved(data, rng):
    at, size = _place(data, rng), rng.choice((3, 64, 4000))
    block = data[at : at + size]
    if rng.random() < 0.5:
        del data[at : at + size]
    to = _place(data, rng)
    data[to:to] = block


def _number(data, rng):
    """A length or a size that is out of all proportion, in either byte order."""
    size = rng.choice((2, 4))
    value = rng.choice((0, 1, (1 << 8 * size - 1) - 1, (1 << 8 * size) - 1))
    at = _place(data, rng)
    data[at : at + size] = value.to_bytes(size, rng.choice(("little", "big")))
