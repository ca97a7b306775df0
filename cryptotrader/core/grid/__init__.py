"""The spot grid: levels, sizes, cells and what they want. The strategy found under the name "grid"."""
