"""The table: medians of the rounds, ratios to other brokers, and a warning where the load was the limit."""

from __future__ import annotations

from tests.bench.figures import Figure, limited_by_load, table


def figure(value: float, place: str = "sqlite", *, is_less_better: bool = False, cores: float = 0.1) -> Figure:
    return Figure(
        "queue", value, "messages/s", "1 to 1", place, is_less_better=is_less_better, load_cores=cores,
        reword=lambda rate: f"{rate * 2:.0f} twice",
    )  # fmt: skip


def cells(text: str) -> list[list[str]]:
    """The cells below the heads."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def test_median_of_the_rounds_is_shown() -> None:
    shown = cells(table([figure(1000, cores=0.1), figure(9000, cores=0.5), figure(2000, cores=0.2)]))

    assert shown == [["queue", "sqlite", "2,000", "messages/s", "4000 twice", "0.20", "1 to 1"]]


def test_ratio_to_another_broker_is_shown() -> None:
    shown = cells(table([figure(3000), figure(2000, "other")], ["other"]))

    assert [row[6] for row in shown] == ["1.50", ""]


def test_ratio_is_the_other_way_round_where_less_is_better() -> None:
    shown = cells(table([figure(2, is_less_better=True), figure(3, "other", is_less_better=True)], ["other"]))

    assert shown[0][6] == "1.50"


def test_ratio_to_a_broker_that_failed_is_empty() -> None:
    assert cells(table([figure(2)], ["other"]))[0][6] == ""


def test_places_of_one_benchmark_are_side_by_side() -> None:
    later = Figure("topic", 1, "messages/s", "1 to 5", "sqlite")

    shown = cells(table([figure(1), later, figure(1, "other")]))

    assert [row[:2] for row in shown] == [["queue", "sqlite"], ["queue", "other"], ["topic", "sqlite"]]


def test_load_that_was_as_busy_as_a_core_is_named() -> None:
    assert limited_by_load([figure(1, cores=0.95), figure(1, "other", cores=0.5)]) == ["queue on sqlite"]
