"""The paper exchange: an exchange of our own, with its own book, for practice, replay and tests."""

from cryptotrader.venue.paper.markets import paper_market
from cryptotrader.venue.paper.pace import Pace, ReplayPace, SteppedPace, UnboundedPace
from cryptotrader.venue.paper.rules import PaperRules
from cryptotrader.venue.paper.venue import PaperVenue

__all__ = ["Pace", "PaperRules", "PaperVenue", "ReplayPace", "SteppedPace", "UnboundedPace", "paper_market"]
