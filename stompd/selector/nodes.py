"""What a selector is made of once it has been read, and the JMS names of headers that it may mention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeAlias, final

#: The JMS identifiers that a lookup has to know, and the header that each stands for.
#: JMS 3.1, 3.8.1.1 names the first six. JMSDeliveryMode is 'PERSISTENT' or 'NON_PERSISTENT'; JMSPriority and
#: JMSTimestamp are integers; JMSMessageID is `jms-message-id` if the sender set it, else the header here, and begins
#: with `ID:`. Those that begin with JMSX are headers of the same name; JMSXDeliveryCount and JMSXGroupSeq are integers.
STANDARD_HEADERS: Final[Mapping[str, str]] = {
    "JMSDeliveryMode": "persistent",
    "JMSPriority": "priority",
    "JMSMessageID": "message-id",
    "JMSTimestamp": "timestamp",
    "JMSCorrelationID": "correlation-id",
    "JMSType": "type",
    "JMSXDeliveryCount": "JMSXDeliveryCount",
    "JMSXGroupID": "JMSXGroupID",
    "JMSXGroupSeq": "JMSXGroupSeq",
    "JMSXUserID": "JMSXUserID",
}

#: JMS 3.1, 3.8.1.1: the other headers of JMS cannot be referred to.
EXCLUDED_HEADERS: Final = frozenset(
    {"JMSDestination", "JMSReplyTo", "JMSExpiration", "JMSRedelivered", "JMSDeliveryTime"}
)


@final
class Kind(Enum):
    """What type of value an expression has, as far as the selector alone says."""

    NUMBER = "a number"
    STRING = "a string"
    BOOLEAN = "a boolean"
    #: The message decides.
    HEADER = "a header"


@final
@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the selector itself."""

    value: str | int | float | bool


@final
@dataclass(frozen=True, slots=True)
class Identifier:
    """The value of a header; unknown when the message has none of that name."""

    name: str


@final
@dataclass(frozen=True, slots=True)
class Hyphenated:
    """Words joined by hyphens: the value of the header so named if the message has it, else the difference."""

    name: str
    difference: Expression


@final
@dataclass(frozen=True, slots=True)
class Signed:
    """A number with a sign before it."""

    sign: str
    operand: Expression


@final
@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Operators of one precedence, from left to right. Being flat, it cannot grow deep."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@final
@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values compared."""

    operator: Operator
    left: Expression
    right: Expression


@final
@dataclass(frozen=True, slots=True)
class Between:
    """Whether a number lies between two others, bounds included."""

    operand: Expression
    low: Expression
    high: Expression
    is_negated: bool


@final
@dataclass(frozen=True, slots=True)
class In:
    """Whether a header is one of several strings."""

    name: str
    strings: tuple[str, ...]
    is_negated: bool


@final
@dataclass(frozen=True, slots=True)
class Like:
    """Whether a header fits a pattern."""

    name: str
    pattern: str
    #: The character that takes the next one's special meaning away; empty for none.
    escape: str
    is_negated: bool


@final
@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether a message lacks a header."""

    name: str
    is_negated: bool


@final
@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    operand: Expression


@final
@dataclass(frozen=True, slots=True)
class And:
    """Two or more conditions of which each has to be true."""

    operands: tuple[Expression, ...]


@final
@dataclass(frozen=True, slots=True)
class Or:
    """Two or more conditions of which one has to be true."""

    operands: tuple[Expression, ...]


Operator: TypeAlias = Literal["=", "<>", "<", "<=", ">", ">="]
Expression: TypeAlias = (
    Constant
    | Identifier
    | Hyphenated
    | Signed
    | Arithmetic
    | Comparison
    | Between
    | In
    | Like
    | IsNull
    | Not
    | And
    | Or
)


def kind_of(node: Expression) -> Kind:
    """Return the type of an expression's value, as far as the selector alone says."""
    match node:
        case Constant(bool()):
            return Kind.BOOLEAN
        case Constant(str()):
            return Kind.STRING
        case Constant() | Signed() | Arithmetic():
            return Kind.NUMBER
        case Identifier() | Hyphenated():
            return Kind.HEADER
        case _:
            return Kind.BOOLEAN
