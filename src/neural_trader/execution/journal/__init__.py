"""The journal: an append-only log of everything that a gateway must not forget."""
