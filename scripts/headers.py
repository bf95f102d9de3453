"""Prints the tables of headers for PROTOCOL.md: .venv/bin/python scripts/headers.py"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stompd.session.dialect import HEADERS, ODD, ODD_PREFIXES, Header
from stompd.session.headers import DROPPED

#: The headings of the tables, and the frames they are about.
SECTIONS: Mapping[str, Sequence[str]] = {
    "CONNECT": ["CONNECT"],
    "SEND": ["SEND"],
    "SUBSCRIBE": ["SUBSCRIBE"],
    "Other frames": ["UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "ABORT", "DISCONNECT"],
}


def quote(names: Sequence[str]) -> str:
    """Return names as code, one after the other."""
    return ", ".join(f"`{name}`" for name in names)


def line(*cells: str) -> str:
    """Return one line of a table."""
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def describe(header: Header) -> list[str]:
    """Return the cells of a header, without its frames."""
    return [f"`{header.name}`", quote(header.aliases), header.values, header.default, header.meaning]


def table(commands: Sequence[str]) -> Iterator[str]:
    """Give out the lines of the table of some frames' headers; of several frames, it has a column for them."""
    columns = ["header", "also spelled", "accepts", "default", "means"]
    frames: dict[Header, list[str]] = {}
    for command in commands:
        for header in HEADERS[command]:
            frames.setdefault(header, []).append(command)
    is_one = len(commands) == 1
    head = columns if is_one else ["frame", *columns]
    yield line(*head)
    yield line(*["---"] * len(head))
    for header, where in frames.items():
        cells = describe(header)
        yield line(*(cells if is_one else [", ".join(where), *cells]))


def odd_table() -> Iterator[str]:
    """Give out the lines of the table of headers that have no effect."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for command, names in ODD.items():
        for name, odd in names.items():
            reasons.setdefault(odd.reason, {}).setdefault(name, []).append(command)
    yield line("frame", "header", "why it has no effect")
    yield line("---", "---", "---")
    for reason, headers in reasons.items():
        for where in dict.fromkeys(map(", ".join, headers.values())):
            yield line(where, quote([name for name in headers if ", ".join(headers[name]) == where]), reason)
    yield line("SEND", quote(sorted(DROPPED)), "only the broker says this; it is dropped")
    for prefix, odd in ODD_PREFIXES.items():
        yield line("all but SEND", f"`{prefix}...`", odd.reason)


if __name__ == "__main__":
    for heading, commands in SECTIONS.items():
        print(f"### {heading}", "", *table(commands), "", sep="\n")
    print("### Headers without effect", "", *odd_table(), sep="\n")
