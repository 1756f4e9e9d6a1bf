"""The page in Simplified Chinese: English, as it stands in the code, → what it says there."""

from __future__ import annotations

from collections.abc import Mapping

CHINESE: Mapping[str, str] = {}
