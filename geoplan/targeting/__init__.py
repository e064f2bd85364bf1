"""Which areas? Dated rules, margins in people, what a choice costs and misses."""
