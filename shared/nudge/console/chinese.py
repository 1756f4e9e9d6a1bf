"""What the console says besides the report, in Simplified Chinese: English, as it stands in the page → what it says there."""

from __future__ import annotations

from collections.abc import Mapping

CHINESE: Mapping[str, str] = {}
