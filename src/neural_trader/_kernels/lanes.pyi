from typing import Final

LANES: Final[int]
TILE: Final[int]
