"""Measured values, and the table that shows them: medians of the rounds, beside those of other brokers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, final

#: With so much of one core used, the load itself may be what is measured.
_BUSY_CORES: Final = 0.85


class WrongResult(Exception):
    """What was measured did not do its work; the text is a sentence that says how."""


@final
@dataclass(frozen=True)
class Figure:
    """One measured value."""

    benchmark: str
    value: float
    unit: str
    #: What was done, in a few words.
    meaning: str
    #: Which broker or store it belongs to; empty for those that need none.
    place: str = ""
    #: Whether a lower value is the better one.
    is_less_better: bool = False
    #: Cores that the load needed beside what was measured; None when there is no load.
    load_cores: float | None = None
    #: The value in other words.
    reword: Callable[[float], str] = lambda value: ""

    def __str__(self) -> str:
        return f"{self.benchmark}{self.place and f' on {self.place}'}: {_number(self.value)} {self.unit}"


#: One measurement, which can be repeated.
Measure = Callable[[], Iterable[Figure]]


@final
class Stopwatch:
    """Adds up the time within its `with` statements."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began


def table(figures: Sequence[Figure], peers: Sequence[str] = ()) -> str:
    """Return a table with one line for each benchmark and place, the medians of all their figures.

    Args:
        figures: Of all rounds.
        peers: Places with a column for the ratio of each other place to them; above 1 is better than the peer.
    """
    medians = _medians(figures)
    heads = ["benchmark", "on", "figure", "unit", "that is", "load, cores", *(f"to {peer}" for peer in peers), "what"]
    lines = [heads, ["-" * len(head) for head in heads]]
    for (benchmark, place), figure in medians.items():
        cores = "" if figure.load_cores is None else f"{figure.load_cores:.2f}"
        ratios = [_ratio(figure, medians.get((benchmark, peer)), peers) for peer in peers]
        cells = [benchmark, place, _number(figure.value), figure.unit, figure.reword(figure.value), cores]
        lines.append([*cells, *ratios, figure.meaning])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(cells, widths) for cells in lines)


def limited_by_load(figures: Sequence[Figure]) -> list[str]:
    """Return the benchmarks whose load was so busy that it may have been the limit."""
    return [
        f"{benchmark} on {place}"
        for (benchmark, place), figure in _medians(figures).items()
        if (figure.load_cores or 0) > _BUSY_CORES
    ]


def _medians(figures: Sequence[Figure]) -> dict[tuple[str, str], Figure]:
    """Return a figure with the medians of all rounds for each benchmark and place, benchmarks together."""
    rounds: dict[str, dict[str, list[Figure]]] = {}
    for figure in figures:
        rounds.setdefault(figure.benchmark, {}).setdefault(figure.place, []).append(figure)
    return {(benchmark, place): _median(seen) for benchmark, places in rounds.items() for place, seen in places.items()}


def _median(seen: Sequence[Figure]) -> Figure:
    value = median(figure.value for figure in seen)
    cores = [figure.load_cores for figure in seen if figure.load_cores is not None]
    return Figure(**{**vars(seen[0]), "value": value, "load_cores": median(cores) if cores else None})


def _ratio(figure: Figure, peer: Figure | None, peers: Sequence[str]) -> str:
    if peer is None or figure.place in peers:
        return ""
    ratio = peer.value / figure.value if figure.is_less_better else figure.value / peer.value
    return f"{ratio:.2f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
