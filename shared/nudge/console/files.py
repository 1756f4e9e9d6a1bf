"""The static files of the console. In: a name, and the version asked for. Out: text, content type, and how long it may be kept.

The page itself is asked for anew each time (an ETag saves the body); what it loads lies under a version that is a hash of all files,
so it never changes and is kept for a year. Nothing in them is about anybody.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parent / "page"
SHELL = "index.html"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
FOR_EVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"


class File(NamedTuple):
    """A file as it is answered."""

    text: str
    content_type: str
    etag: str


@cache
def bodies() -> dict[str, str]:
    """Every file of the page by its name; read once."""
    return {one.name: one.read_text(encoding="utf-8") for one in sorted(PAGE.iterdir()) if one.suffix in TYPES}


@cache
def version(words: str = "") -> str:
    """What all files, and the words they are shown with, hash to."""
    whole = "\0".join(f"{name}\0{body}" for name, body in sorted(bodies().items())) + words
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def file(name: str, text: str) -> File:
    """A body under its name."""
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    return File(text, TYPES[name[name.rindex(".") :]], etag)


def policy(login: str | None) -> str:
    """The page's Content-Security-Policy: everything comes from here, and requests go here, or to where people sign in."""
    to = f" {login}" if login else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'{to}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
