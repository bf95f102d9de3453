"""What Twisted finds of stompd: the `twistd stompd` command, and the stores by the scheme of their URL."""

from twisted.application.service import ServiceMaker
from twisted.plugin import IPlugin
from zope.interface import alsoProvides

from stompd.store.factory import MemoryStoreFactory, PostgresqlStoreFactory, SqliteStoreFactory

stompd_service = ServiceMaker("stompd", "stompd.tap", "A durable STOMP message broker.", "stompd")

memory_store = MemoryStoreFactory()
postgresql_store = PostgresqlStoreFactory()
sqlite_store = SqliteStoreFactory()

# The store knows nothing of Twisted, so it is here that its factories become plugins.
for factory in (memory_store, postgresql_store, sqlite_store):
    alsoProvides(factory, IPlugin)
del factory
