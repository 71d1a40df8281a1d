"""Large letters of half blocks, three rows high, for words that must be read from across the room."""

from __future__ import annotations

_BLOCKS = {"  ": " ", "# ": "▀", " #": "▄", "##": "█"}

# Five pixels high, as wide as the letter needs; rows are separated by "/".
_SHAPES = {
    "A": " ## /#  #/####/#  #/#  #",
    "B": "### /#  #/### /#  #/### ",
    "C": " ###/#   /#   /#   / ###",
    "D": "### /#  #/#  #/#  #/### ",
    "E": "###/#  /## /#  /###",
    "F": "###/#  /## /#  /#  ",
    "G": " ###/#   /# ##/#  #/ ###",
    "H": "#  #/#  #/####/#  #/#  #",
    "I": "#/#/#/#/#",
    "J": "  #/  #/  #/# #/ # ",
    "K": "#  #/# # /##  /# # /#  #",
    "L": "#  /#  /#  /#  /###",
    "M": "#   #/## ##/# # #/#   #/#   #",
    "N": "#   #/##  #/# # #/#  ##/#   #",
    "O": " ## /#  #/#  #/#  #/ ## ",
    "P": "### /#  #/### /#   /#   ",
    "Q": " ## /#  #/#  #/# ##/ ###",
    "R": "### /#  #/### /# # /#  #",
    "S": " ###/#   / ## /   #/### ",
    "T": "###/ # / # / # / # ",
    "U": "#  #/#  #/#  #/#  #/ ## ",
    "V": "#   #/#   #/ # # / # # /  #  ",
    "W": "#   #/#   #/# # #/## ##/#   #",
    "X": "#   #/ # # /  #  / # # /#   #",
    "Y": "#   #/ # # /  #  /  #  /  #  ",
    "Z": "####/   #/ ## /#   /####",
    "0": "####/#  #/#  #/#  #/####",
    "1": " #/##/ #/ #/ #",
    "2": "####/   #/####/#   /####",
    "3": "####/   #/ ###/   #/####",
    "4": "#  #/#  #/####/   #/   #",
    "5": "####/#   /####/   #/####",
    "6": "####/#   /####/#  #/####",
    "7": "####/   #/   #/  # /  # ",
    "8": "####/#  #/####/#  #/####",
    "9": "####/#  #/####/   #/####",
    "w": "     /     /# # #/# # #/#####",
    "d": "   #/   #/####/#  #/####",
    "-": "   /   /###/   /   ",
    " ": " / / / / ",
}


def large(words: str) -> tuple[str, str, str] | None:
    """Return ``words`` in large letters, three rows of equal width; None if there are none or one has no shape."""
    if not words or any(c not in _SHAPES for c in words):
        return None
    # A sixth, empty row of pixels makes the five come out in three rows of two.
    rows = [" ".join(parts) for parts in zip(*(_SHAPES[c].split("/") for c in words), strict=True)]
    pixels = [*rows, " " * len(rows[0])]
    upper, middle, lower = (
        "".join(_BLOCKS[a + b] for a, b in zip(pixels[i], pixels[i + 1], strict=True)) for i in (0, 2, 4)
    )
    return upper, middle, lower
