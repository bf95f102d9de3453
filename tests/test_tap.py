"""`twistd stompd`: found by Twisted, and started with the settings of its command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.application.service import IService, IServiceMaker
from twisted.plugin import getPlugins
from twisted.python.usage import UsageError
from zope.interface.verify import verifyObject

from stompd.interfaces import IStoreFactory
from stompd.settings import Settings
from stompd.tap import Options, makeService


def parse(*arguments: str) -> Settings:
    """Return the settings of a command line."""
    options = Options()
    options.parseOptions(list(arguments))
    return options.settings


def test_twisted_finds_the_service() -> None:
    makers = {maker.tapname: maker for maker in getPlugins(IServiceMaker)}

    assert makers["stompd"].module == "stompd.tap"


def test_twisted_finds_the_stores() -> None:
    factories = list(getPlugins(IStoreFactory))

    assert {factory.scheme for factory in factories} >= {"memory", "postgresql", "sqlite"}
    assert all(verifyObject(IStoreFactory, factory) for factory in factories)


def test_without_options_everything_is_at_its_default() -> None:
    assert parse() == Settings()


def test_options_become_settings(tmp_path: Path) -> None:
    path = tmp_path / "stompd.toml"
    path.write_text('store = "memory:"\nhide_server = true')
    users = tmp_path / "users"
    users.write_text("ann:secret\n")

    settings = parse(
        *("--config", str(path), "--store", "sqlite:///x", "--auth", f"file:{users}"),
        *("--listen", "tcp:1", "--listen", "tcp:2"),
    )

    assert settings == Settings(
        listen=("tcp:1", "tcp:2"), store="sqlite:///x", auth=(f"file:{users}",), hide_server=True
    )


def test_wrong_setting_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"^--listen: 'tcp:1' can be reached from other machines"):
        parse("--listen", "tcp:1")


def test_options_make_a_service() -> None:
    options = Options()
    options.parseOptions(["--store", "memory:"])

    assert verifyObject(IService, makeService(options))
