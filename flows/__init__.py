"""Prefect flows, one a file: gather, decide, apply, record. Level-triggered: a second run right after does nothing."""
