"""The app's own code becomes importable, as it is in the image."""

from __future__ import annotations

import sys

from tests.addon.layout import CODE

sys.path.insert(0, str(CODE))
