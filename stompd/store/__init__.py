"""Where messages are kept: SQLite, PostgreSQL, or memory, behind `stompd.interfaces.IMessageStore`."""
