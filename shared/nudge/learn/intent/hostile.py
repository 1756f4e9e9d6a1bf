"""Texts that nobody means well with: parity must hold for them too."""

from __future__ import annotations

TEXTS = (
    "",
    " ",
    "\x00\x01\x02",
    "?!…",
    "0",
    "12345678901234567890",
    "😀👩‍👩‍👧🏳️‍🌈",
    "refund 退款 возврат استرداد धनवापसी",
    "外卖太慢了，不好吃！",
    "ﬁﬀ①Ⅳ㍿ ｆｕｌｌｗｉｄｔｈ",
    "e\u0301 é \u1e9b\u0323",
    "a" * 5000,
    "card " * 1000,
    "\u202eabc\u200b\u00ad",
    "\ufeff\ufffe\uffff",
    "İıſ ẞ",
    "\t\r\n\v\f\u2028",
    "ก็ไม่รู้",
)
