"""Compose a mail. In: rendered texts, an address, the sender, the unsubscribe address. Out: an `Email`, or a refusal.

The only place where headers are made: both RFC 8058 headers, always. Whatever could end a header line is refused, not cleaned.
It does not know how mail is sent.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any

from nudge.errors import BadInput
from nudge.vocabulary import Channel, Email, Message

LINE_BREAKERS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
ADDRESS = re.compile(f"{LOCAL}@{DOMAIN}")
LONGEST_ADDRESS = 254
LONGEST_SUBJECT = 500
ONE_ADDRESS = re.compile(r"<([^<>,\s]+)>")
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
ANCHOR = re.compile(r"""<a\b[^<>]*?\bhref\s*=\s*(["'])([^"'<>]*)\1[^<>]*>""", re.IGNORECASE)
LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:/.*)?")


def address(value: Any) -> str:
    """An e-mail address as it may stand in a header: ASCII, the domain in IDNA form.

    Raises
    ------
    BadInput
        `bad_address`. The message does not carry the address.
    """
    text = value.strip() if isinstance(value, str) else ""
    local, _, domain = text.rpartition("@")
    try:
        text = f"{local}@{domain.encode('idna').decode()}" if not domain.isascii() else text
    except UnicodeError:
        text = ""
    if len(text) > LONGEST_ADDRESS or len(local) > 64 or not ADDRESS.fullmatch(text):
        raise BadInput("the address is not one that mail can be sent to", reason="bad_address")
    return text


def header(name: str, value: str) -> str:
    """A header's value, unless it could end its line. Raises BadInput `bad_header`."""
    if LINE_BREAKERS.search(value):
        raise BadInput("a line break or control character in a header", reason="bad_header", where=name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadInput("a lone surrogate in a header", reason="bad_header", where=name) from None
    return value


def sender(value: str | None, where: str = "sender") -> str:
    """`Name <address>` of the plan, checked. Raises BadInput."""
    text = header(where, value or "")
    _, plain = parseaddr(text)
    address(plain)
    return text


def unsubscribe_url(public_url: str, token: str) -> str:
    """`https://…/u/TOKEN`. RFC 8058 wants HTTPS; plain HTTP is for the laptop's own loopback only. Raises BadInput."""
    if not public_url.startswith("https://") and not LOOPBACK.fullmatch(public_url):
        raise BadInput("PUBLIC_URL must begin with https://", reason="public_url_not_https")
    return header("List-Unsubscribe", f"{public_url.rstrip('/')}/u/{token}")


def compose(
    message: Message,
    texts: Mapping[str, str],
    *,
    to: Any,
    channel: Channel,
    unsubscribe: str,
    transactional: bool = False,
) -> Email:
    """The mail of a message.

    Parameters
    ----------
    texts
        Rendered `subject`, `text` and `html`. Where the unsubscribe address or the postal address does not stand in a
        body, it is added at its end.

    Raises
    ------
    BadInput
        `bad_address`, `bad_header`, `no_subject`, `no_text`, `no_postal_address` (marketing must carry one).
    """
    subject = header("Subject", texts.get("subject", "").strip())
    if not subject or len(subject) > LONGEST_SUBJECT:
        raise BadInput(f"a subject must have 1 to {LONGEST_SUBJECT} characters", reason="no_subject")
    if not texts.get("text", "").strip() or not texts.get("html", "").strip():
        raise BadInput("a mail needs both text and html", reason="no_text")
    if not transactional and not channel.postal_address:
        raise BadInput("marketing mail must carry a postal address", reason="no_postal_address", where="channels.email")
    return Email(
        to=address(to),
        sender=sender(channel.sender),
        subject=subject,
        text=_with_footer(texts["text"], unsubscribe, channel.postal_address or ""),
        html=_with_html_footer(texts["html"], unsubscribe, channel.postal_address or ""),
        headers={
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "X-Nudge-Decision": header("X-Nudge-Decision", message.decision_id),
        },
        tags={"decision_id": _tag(message.decision_id), "activity": _tag(message.activity)},
        reply_to=sender(channel.reply_to, "reply_to") if channel.reply_to else None,
        transactional=transactional,
    )


def must_unsubscribe(mail: Email) -> None:
    """Refuse a marketing mail that its reader cannot unsubscribe from: both RFC 8058 headers, an HTTPS address, and a link to
    it in each body that a reader sees (not in a comment).

    Raises
    ------
    BadInput
        `no_unsubscribe`. Every sender of mail asks this itself, whoever composed it.
    """
    if mail.transactional:
        return
    held = ONE_ADDRESS.fullmatch(mail.headers.get("List-Unsubscribe", ""))
    one_click = mail.headers.get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    if held is None or not one_click:
        raise BadInput("marketing mail needs both headers of RFC 8058", reason="no_unsubscribe")
    link = held.group(1)
    if not (link.startswith("https://") or LOOPBACK.fullmatch(link)) or link not in mail.text:
        raise BadInput("marketing mail needs an HTTPS unsubscribe link in its text", reason="no_unsubscribe")
    if not _is_linked(link, mail.html):
        raise BadInput("marketing mail needs an unsubscribe link that is seen in its HTML", reason="no_unsubscribe")


def _is_linked(link: str, page: str) -> bool:
    """Whether an anchor to the link stands outside comments."""
    seen = COMMENT.sub("", page)
    return any(html.unescape(one.group(2)) == link for one in ANCHOR.finditer(seen))


def _with_footer(text: str, unsubscribe: str, postal: str) -> str:
    lines = [f"Unsubscribe: {unsubscribe}"] if unsubscribe not in text else []
    lines += [postal] if postal and postal not in text else []
    return text.rstrip() + "\n\n-- \n" + "\n".join(lines) + "\n" if lines else text


def _with_html_footer(page: str, unsubscribe: str, postal: str) -> str:
    link, place = html.escape(unsubscribe), html.escape(postal)
    parts = [f'<a href="{link}">Unsubscribe</a>'] if not _is_linked(unsubscribe, page) else []
    parts += [place] if postal and place not in page else []
    if not parts:
        return page
    footer = f'<p style="font-size:12px;color:#666">{"<br>".join(parts)}</p>'
    at = page.lower().rfind("</body>")
    return page + footer if at < 0 else page[:at] + footer + page[at:]


def _tag(value: str) -> str:
    """SES takes letters, digits, `_`, `-` and `.` in a tag, at most 256."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", value)[:256] or "_"
