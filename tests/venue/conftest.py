"""The loopback exchange is at every test's hand."""

from tests.venue.public_exchange import exchange, origin

__all__ = ["exchange", "origin"]
