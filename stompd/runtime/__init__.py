"""The reactor's side of the core: the driver that feeds it, the journal that makes its units durable."""
