"""What every test shares: how hypothesis searches."""

import os

from hypothesis import settings

# Machines differ in speed, so no example may fail for being slow. Where CI is set, every run tries
# the same examples: a red run there can be repeated anywhere.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")
