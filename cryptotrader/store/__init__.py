"""Our database: SQLAlchemy 2, exact decimals, UTC times, plain query functions. Knows nothing of venues."""
