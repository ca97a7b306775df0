"""The order protocol over a venue and the store: orders exactly once, fills exactly once, whatever crashes."""
