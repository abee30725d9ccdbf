"""Numbers on image sets. Each file is one metric: pure functions of features [N, D], computed in float64.

`extractor` makes the features; `reference` keeps what follows from real images alone in the cache.
"""
