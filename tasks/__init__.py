"""Prefect tasks: doors to the domain, not rooms. Primitives in, primitives out, one domain function each.

Retries stand on readings and on writings that may be repeated. Trading is never retried here: the next pass reads
everything anew and does what is still to do.
"""
