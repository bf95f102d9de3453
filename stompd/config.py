"""From a TOML file and the command line to settings, checked as a whole before anything starts."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast, final, get_type_hints

from twisted.plugin import getPlugins

from stompd.auth.checkers import make_checkers
from stompd.auth.permissions import Permissions, check_permissions
from stompd.broker.policy import Expired, Overflow, Rule
from stompd.endpoint import is_local
from stompd.errors import SettingError
from stompd.interfaces import IStoreFactory
from stompd.net.proxy import read_networks
from stompd.settings import Groups, Hosts, HostSettings, LogFormat, LogLevel, OptionalLimit, Settings

#: What a setting may be, once parsed.
Value: TypeAlias = (
    "bool | int | str | tuple[str, ...] | tuple[int, int] | Groups | Hosts | LogFormat | LogLevel | Overflow | Expired"
)

#: What a pattern of destinations may begin with.
_RULED = ("/queue/", "/topic/", "/dsub/")

#: What a queue that is full may do to the sender.
_KEEPING = (Overflow.BLOCK, Overflow.REJECT)

#: The field of `Settings` that holds what is in tables of their own.
_RULES = "destinations"

#: The highest number that a limit may be: more than any machine has, and far from where 64 bits overflow.
_HIGHEST = 1 << 40

#: Heart-beats are milliseconds; a day is as good as never.
_HIGHEST_HEART_BEAT_MS = 24 * 60 * 60 * 1000


#: Characters of the name of a virtual host: those of a domain name. It must leave room for the path of a queue.
_LONGEST_HOST = 253

_HOST_KEYS = tuple(field.name for field in fields(HostSettings))


@final
class Key(NamedTuple):
    """One setting: its name and where its value stands."""

    #: As a person writes it: `store`, `limits.connections`.
    name: str
    #: The field of `Settings` that holds the dataclass with this setting; None where that is `Settings` itself.
    group: str | None
    #: The dataclass that declares it.
    owner: type
    #: The name of its field there.
    field: str
    #: Its type.
    form: object

    @property
    def table(self) -> str | None:
        """The TOML table it stands in; None at the top."""
        return "limits" if self.group else None

    def value(self, settings: Settings) -> Value:
        """Return what the setting is set to."""
        holder = settings if self.group is None else getattr(settings, self.group)
        return cast(Value, getattr(holder, self.field))


def _keys() -> dict[str, Key]:
    """Return every setting by its name; those of the dataclasses within `Settings` make up the table `[limits]`.

    The fields of these dataclasses are the list of settings; there is no other.
    """
    keys = {}
    for attribute, form in get_type_hints(Settings).items():
        if attribute == _RULES:
            continue
        if not isinstance(form, type) or not is_dataclass(form):
            keys[attribute] = Key(attribute, None, Settings, attribute, form)
            continue
        for inner, inner_form in get_type_hints(form).items():
            name = f"limits.{inner}"
            keys[name] = Key(name, attribute, form, inner, inner_form)
    return keys


def _rule_keys() -> dict[str, Key]:
    """Return the keys of a table `[[destination]]`, by name."""
    return {name: Key(name, _RULES, Rule, name, form) for name, form in get_type_hints(Rule).items()}


_DEFAULTS = Settings()

#: The keys of a table `[[destination]]`, in the order of the documentation.
RULE_KEYS: Mapping[str, Key] = _rule_keys()

#: Every setting, in the order of the documentation.
KEYS: Mapping[str, Key] = _keys()


def load_settings(path: Path | None, overrides: Mapping[str, object]) -> Settings:
    """Return the settings of a file, with those of the command line in their place, checked.

    Args:
        path: The TOML file; None leaves everything at its default.
        overrides: By name; a value may be what TOML could hold.

    Raises:
        SettingError: The file cannot be read, a setting is unknown, or a value cannot be used.
    """
    places = {name: f"--{name.replace('_', '-')}" for name in overrides}
    given = dict(overrides)
    found = read_settings(path) if path else {}
    rules = _read_rules(found.pop("destination", []), str(path))
    for name, value in found.items():
        places.setdefault(name, f"{path}: {name}")
        given.setdefault(name, value)
    groups: dict[str | None, dict[str, Value]] = {}
    for name, value in given.items():
        key = _find_key(name, places[name])
        groups.setdefault(key.group, {})[key.field] = _accept(key, value, places[name])
    settings = replace(_build(groups), destinations=rules)
    _check(settings, places)
    check_permissions(settings, path)
    return settings


def read_settings(path: Path) -> dict[str, object]:
    """Return what a file sets, by name and unchecked.

    Raises:
        SettingError: The file cannot be read or is not TOML.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingError(f"{path}: the file cannot be read: {error.strerror}") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise SettingError(f"{path}: the file is not TOML: {error}") from error
    limits = document.pop("limits", {})
    if not isinstance(limits, dict):
        raise SettingError(f"{path}: limits must be a table: write [limits] on a line of its own")
    return document | {f"limits.{name}": value for name, value in limits.items()}


def _read_rules(tables: object, path: str) -> tuple[Rule, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingError(f"{path}: destination must be a table in an array: write [[destination]] on its own line")
    return tuple(_read_rule(table, f"{path}: destination {number}") for number, table in enumerate(tables, 1))


def _read_rule(table: Mapping[str, object], place: str) -> Rule:
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in RULE_KEYS:
            alike = get_close_matches(name, RULE_KEYS, n=1)
            cure = f"did you mean {alike[0]}?" if alike else f"the keys are {', '.join(RULE_KEYS)}"
            raise SettingError(f"{place}: {name}: there is no key of that name; {cure}")
        values[name] = _accept(RULE_KEYS[name], value, f"{place}: {name}")
    rule = Rule(**values)
    if not rule.pattern.startswith(_RULED):
        raise SettingError(f"{place}: pattern must begin with one of {', '.join(_RULED)}, for example /queue/orders.*")
    if rule.is_bounded and rule.pattern.startswith("/dsub/") and rule.overflow in (None, *_KEEPING):
        raise SettingError(
            f"{place}: overflow of a durable subscription must be drop-new, drop-old or dead-letter, since one that is"
            " full must not keep a topic's senders waiting"
        )
    return rule


def find_store_factory(url: str) -> IStoreFactory:
    """Return what makes stores for the URL's scheme: one of this project's or an installed plugin's.

    Raises:
        SettingError: No store has that scheme.
    """
    scheme = url.partition(":")[0].partition("+")[0]
    scheme = "postgresql" if scheme == "postgres" else scheme  # libpq knows both
    factories = {factory.scheme: factory for factory in getPlugins(IStoreFactory)}
    if scheme not in factories:
        known = ", ".join(sorted(factories))
        raise SettingError(f"{show('store', url)} cannot be used; give a URL that begins with one of {known}")
    return factories[scheme]


def make_permissions(settings: Settings, host: HostSettings | None = None) -> Permissions:
    """Return what users may do on a virtual host, or on the default one, as rules that were checked say."""
    rules = host if host and host.permissions else settings
    return Permissions.parse(rules.permissions, rules.groups)


def show(name: str, value: object) -> str:
    """Return a value as it is written in TOML, without what may be secret in the store's URL and in checkers."""
    if isinstance(value, Enum):
        value = value.value
    if name == "store":
        value = _without_password(str(value))
    if name == "auth" and isinstance(value, Sequence):
        value = [_without_argument(str(checker)) for checker in value]
    if isinstance(value, HostSettings):
        given = {field.name: getattr(value, field.name) for field in fields(value)}
        return show_table({name: show(name, inner) for name, inner in given.items() if inner})
    if isinstance(value, Mapping):
        return show_table({key: show(name, inner) for key, inner in value.items()})
    return json.dumps(value, default=str, ensure_ascii=False)


def show_table(values: Mapping[str, str]) -> str:
    """Return a table on one line, as TOML has it; the values are written already."""
    pairs = [f"{json.dumps(key, ensure_ascii=False)} = {value}" for key, value in values.items()]
    return f"{{ {', '.join(pairs)} }}" if pairs else "{}"


def _without_password(url: str) -> str:
    before, at, host = url.partition("?")[0].rpartition("@")
    scheme = before.partition(":")[0]
    return f"{scheme}://***@{host}" if at else host


def _without_argument(checker: str) -> str:
    kind, colon, argument = checker.partition(":")
    return checker if kind in {"file", "certificate"} else f"{kind}{colon}{'***' if argument else ''}"


def _find_key(name: str, place: str) -> Key:
    if name in KEYS:
        return KEYS[name]
    alike = get_close_matches(name, KEYS, n=1)
    cure = f"did you mean {alike[0]}?" if alike else f"the settings are {', '.join(KEYS)}"
    raise SettingError(f"{place}: there is no setting of that name; {cure}")


def _accept(key: Key, value: object, place: str) -> Value:
    form = _FORMS[key.form]
    accepted = form.accept(value)
    if accepted is None:
        raise SettingError(f"{place}: {show(key.name, value)} cannot be used; give {form.description}")
    return accepted


@final
class _Form(NamedTuple):
    """Which values a setting of some type takes."""

    #: Returns the value in the setting's own type, or None if it cannot be used.
    accept: Callable[[object], Value | None]
    #: The same in words.
    description: str


def _choice(choices: type[LogFormat] | type[LogLevel] | type[Overflow] | type[Expired]) -> _Form:
    by_value: dict[object, Value] = {choice.value: choice for choice in choices}
    return _Form(lambda value: by_value.get(str(value)), f"one of {', '.join(map(str, by_value))}")


def _accept_flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _accept_number(value: object, lowest: int = 1, highest: int = _HIGHEST) -> int | None:
    # To Python True is a number; to a person it is not.
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if lowest <= value <= highest else None


def _accept_text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _accept_texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list | tuple):
        return None
    texts = [text for text in map(_accept_text, value) if text is not None]
    return tuple(texts) if len(texts) == len(value) else None


def _accept_groups(value: object) -> Groups | None:
    if not isinstance(value, dict):
        return None
    groups = {name: members for name, texts in value.items() if (members := _accept_texts(texts)) is not None}
    return groups if len(groups) == len(value) else None


def _accept_optional(value: object) -> int | None:
    return _accept_number(value, 0)


def _accept_hosts(value: object) -> Hosts | None:
    if not isinstance(value, dict):
        return None
    hosts = {name: host for name, table in value.items() if (host := _accept_host(name, table)) is not None}
    return hosts if len(hosts) == len(value) else None


def _accept_host(name: str, table: object) -> HostSettings | None:
    if not isinstance(table, dict) or not name or "/" in name or len(name) > _LONGEST_HOST:
        return None
    forms = get_type_hints(HostSettings)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in forms:
            return None
        values[key] = _FORMS[forms[key]].accept(value)
        if values[key] is None:
            return None
    return HostSettings(**values)


def _accept_heart_beat(value: object) -> tuple[int, int] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    send = _accept_number(value[0], 0, _HIGHEST_HEART_BEAT_MS)
    want = _accept_number(value[1], 0, _HIGHEST_HEART_BEAT_MS)
    return None if send is None or want is None else (send, want)


_FORMS: Mapping[object, _Form] = {
    bool: _Form(_accept_flag, "true or false"),
    int: _Form(_accept_number, f"a whole number from 1 to {_HIGHEST}"),
    str: _Form(_accept_text, "a text that is not empty"),
    tuple[str, ...]: _Form(_accept_texts, "a list of texts that are not empty"),
    tuple[int, int]: _Form(
        _accept_heart_beat, f"a list of two numbers of milliseconds, each from 0 to {_HIGHEST_HEART_BEAT_MS}"
    ),
    Groups: _Form(_accept_groups, 'a table of lists of users, such as billing = ["ann", "bob"]'),
    Hosts: _Form(_accept_hosts, f"a table for each virtual host, with {', '.join(_HOST_KEYS)}"),
    OptionalLimit: _Form(_accept_optional, f"a whole number from 0 to {_HIGHEST}"),
    LogFormat: _choice(LogFormat),
    LogLevel: _choice(LogLevel),
    **{kind | None: _choice(kind) for kind in (Overflow, Expired)},
}


def _build(groups: Mapping[str | None, Mapping[str, Value]]) -> Settings:
    """Return settings with the values given for each group; the group None is `Settings` itself."""
    changes: dict[str, Any] = {}
    for group, values in groups.items():
        fields: dict[str, Any] = dict(values)
        changes |= fields if group is None else {group: replace(getattr(_DEFAULTS, group), **fields)}
    return replace(_DEFAULTS, **changes)


def _check(settings: Settings, places: Mapping[str, str]) -> None:
    """Check what can only be judged with plugins, files, or several settings at hand."""
    limits = settings.broker_limits
    if limits.queue_prefetch > limits.highest_prefetch or limits.topic_prefetch > limits.highest_prefetch:
        raise SettingError(
            "limits.highest_prefetch is lower than limits.queue_prefetch or limits.topic_prefetch; raise it"
        )
    with _at(places, "store"):
        find_store_factory(settings.store)
    with _at(places, "auth"):
        make_checkers(settings.auth, settings.store)
    with _at(places, "hosts"):
        for host in settings.hosts.values():
            make_checkers(host.auth, settings.store)
        if settings.default_host.lower() in map(str.lower, settings.hosts):
            raise SettingError(f"{settings.default_host} is the default host (setting default_host)")
    with _at(places, "trusted_proxies"):
        _check_networks(settings)
    with _at(places, "listen"):
        _check_listen(settings)


def _check_networks(settings: Settings) -> None:
    try:
        read_networks(settings.trusted_proxies)
    except ValueError as error:
        raise SettingError(f"{error}; give networks such as 10.0.0.0/8") from error


def _check_listen(settings: Settings) -> None:
    if not settings.listen:
        raise SettingError("there is nowhere to listen; give at least one endpoint such as tcp:61613")
    exposed = [endpoint for endpoint in settings.listen if not is_local(endpoint)]
    if exposed and not settings.auth:
        raise SettingError(
            f"{exposed[0]!r} can be reached from other machines and nobody would have to log in; "
            "add --auth file:PATH or listen on interface=127.0.0.1"
        )


@contextmanager
def _at(places: Mapping[str, str], name: str) -> Iterator[None]:
    """Put the place where a setting was given in front of what is wrong with it."""
    try:
        yield
    except SettingError as error:
        raise SettingError(f"{places.get(name, name)}: {error}") from error
