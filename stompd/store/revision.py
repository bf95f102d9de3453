"""Which revision of the schema a database has, which one this program needs, and how to get there."""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

#: Not Alembic's own default: other applications in the same database may use that.
REVISION_TABLE = "stompd_revision"


def head_revision() -> str:
    """Return the revision that this program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the installation lacks its migrations"
    return head


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the database; None when it has no schema of ours yet."""
    return MigrationContext.configure(connection, opts={"version_table": REVISION_TABLE}).get_current_revision()


def is_newer(revision: str) -> bool:
    """Whether a revision was made after this program, so that it does not know it."""
    known = ScriptDirectory.from_config(_config()).walk_revisions()
    return revision not in {script.revision for script in known}


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date, in the caller's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("stompd.migrations")).replace("%", "%%"))
    return config
