"""Lots: first in, first out, and costs that add up for ever."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.lots import Lot, take, total_base, total_cost
from cryptotrader.errors import BooksDisagree
from tests.core.grids import bounded

FIRST, SECOND = Lot(1, Decimal("0.5"), Decimal(50)), Lot(2, Decimal("0.25"), Decimal(30))


def test_oldest_lot_is_taken_first():
    assert take((FIRST, SECOND), Decimal("0.5")) == ((FIRST,), (SECOND,))


def test_split_lot_shares_its_cost():
    assert take((FIRST, SECOND), Decimal("0.6")) == (
        (FIRST, Lot(2, Decimal("0.1"), Decimal("12.000000000000"))),
        (Lot(2, Decimal("0.15"), Decimal("18.000000000000")),),
    )


def test_rest_of_a_split_keeps_the_difference():
    third = Lot(7, Decimal(3), Decimal(10))
    assert take((third,), Decimal(1)) == (
        (Lot(7, Decimal(1), Decimal("3.333333333333")),),
        (Lot(7, Decimal(2), Decimal("6.666666666667")),),
    )


def test_nothing_taken_leaves_all():
    assert take((FIRST, SECOND), Decimal(0)) == ((), (FIRST, SECOND))


def test_more_than_there_is_disagrees():
    with pytest.raises(BooksDisagree) as refused:
        take((FIRST, SECOND), Decimal("0.76"))
    assert str(refused.value) == "0.01 more base was sold than the lots of this cell hold"


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.decimals("0.01", 10**5, places=16)), min_size=1, max_size=5),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=20),
)
@bounded(200)
def test_no_split_creates_or_loses_money(bought, sales):
    lots = tuple(Lot(seq, base * Decimal("1e-8"), cost) for seq, (base, cost) in enumerate(bought))
    base, cost = total_base(lots), total_cost(lots)
    gone_base = gone_cost = Decimal(0)
    for sale in sales:
        part = min(sale * Decimal("1e-8"), total_base(lots))
        taken, lots = take(lots, part)
        assert total_base(taken) == part
        gone_base, gone_cost = gone_base + part, gone_cost + total_cost(taken)
        assert (gone_base + total_base(lots), gone_cost + total_cost(lots)) == (base, cost)
    if not lots:
        assert gone_cost == cost
