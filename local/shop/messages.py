"""What the shop's customers write to its help desk, with the intent that a person at the desk noted.

In: people, a stretch of time, a seed. Out: rows of `message` events (text in `text`, intent in `event_action`) in English,
German, French and Chinese. Some are about nothing that the desk has a word for: they have no intent.
"""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import Any

import numpy as np

from local.clock import moment
from local.shop.people import LOCALES, People
from nudge.vocabulary import SECOND, Micros

MESSAGES = 700
CHINESE = 0.1
"""Share of messages in Chinese, whatever the country."""
OTHER = 0.08
"""Share of messages that are about something else."""

OPENINGS = {
    "en": ("Hello, ", "Hi! ", "", "Dear team, ", "Good morning. "),
    "de": ("Hallo, ", "Guten Tag, ", "", "Liebes Team, ", "Moin, "),
    "fr": ("Bonjour, ", "Madame, Monsieur, ", "", "Salut, ", "Chère équipe, "),
    "zh": ("你好，", "您好，", "", "请问，", "客服你好，"),
}
CLOSINGS = {
    "en": ("", " Thanks!", " Please answer soon.", " Best regards"),
    "de": ("", " Danke!", " Bitte um baldige Antwort.", " Viele Grüße"),
    "fr": ("", " Merci !", " Merci de répondre vite.", " Cordialement"),
    "zh": ("", "谢谢！", "请尽快回复。", "急！"),
}
THINGS = {
    "en": ("shoes", "coat", "bag", "shirt", "order", "parcel", "book"),
    "de": ("Schuhe", "Mantel", "Tasche", "Hemd", "Bestellung", "Paket", "Buch"),
    "fr": ("chaussures", "manteau", "sac", "chemise", "commande", "colis", "livre"),
    "zh": ("鞋子", "外套", "包", "衬衫", "订单", "包裹", "书"),
}
BODIES: dict[str, dict[str, tuple[str, ...]]] = {
    "where_is_my_order": {
        "en": (
            "where is my {}?",
            "my {} has not arrived yet",
            "when will the {} be delivered?",
            "tracking shows nothing",
        ),
        "de": ("wo bleibt {}?", "{} ist noch nicht angekommen", "wann wird {} geliefert?", "die Sendung steht still"),
        "fr": ("où est {} ?", "{} n'est pas encore arrivé", "quand sera livré {} ?", "le suivi ne montre rien"),
        "zh": ("我的{}到哪里了？", "{}还没有收到", "{}什么时候发货？", "物流一直没有更新"),
    },
    "return": {
        "en": ("I want to return the {}", "how do I send the {} back?", "the {} does not fit, return label please"),
        "de": (
            "ich möchte {} zurückschicken",
            "wie geht die Rücksendung von {}?",
            "{} passt nicht, bitte Retourenschein",
        ),
        "fr": ("je veux renvoyer {}", "comment retourner {} ?", "{} ne va pas, une étiquette de retour svp"),
        "zh": ("我想退货，{}不合适", "{}怎么退？", "申请退回{}"),
    },
    "refund": {
        "en": ("when do I get my money back for the {}?", "the refund is missing", "you charged me twice for the {}"),
        "de": ("wann bekomme ich mein Geld für {} zurück?", "die Erstattung fehlt", "{} wurde doppelt abgebucht"),
        "fr": ("quand serai-je remboursé pour {} ?", "le remboursement manque", "{} a été débité deux fois"),
        "zh": ("{}的退款什么时候到账？", "退款没有收到", "{}被扣了两次钱"),
    },
    "discount": {
        "en": ("the voucher does not work", "is there a discount on the {}?", "my coupon code was refused"),
        "de": ("der Gutschein geht nicht", "gibt es Rabatt auf {}?", "mein Rabattcode wurde abgelehnt"),
        "fr": ("le bon ne marche pas", "y a-t-il une réduction sur {} ?", "mon code promo est refusé"),
        "zh": ("优惠券用不了", "{}有折扣吗？", "优惠码无效"),
    },
    "stop_mail": {
        "en": ("please stop sending me mail", "unsubscribe me", "no more newsletters"),
        "de": ("bitte keine Mails mehr", "Newsletter abbestellen", "nehmen Sie mich aus dem Verteiler"),
        "fr": ("arrêtez de m'envoyer des mails", "désabonnez-moi", "plus de newsletter"),
        "zh": ("请不要再发邮件", "退订", "取消订阅邮件"),
    },
    "size": {
        "en": ("which size should I take for the {}?", "does the {} run small?", "size chart for the {} please"),
        "de": ("welche Größe bei {}?", "fällt {} klein aus?", "Größentabelle für {} bitte"),
        "fr": ("quelle taille pour {} ?", "{} taille petit ?", "le guide des tailles de {} svp"),
        "zh": ("{}应该选什么尺码？", "{}偏小吗？", "请发{}的尺码表"),
    },
}
ELSE = {
    "en": ("are you hiring?", "your shop window is lovely", "who painted the picture in the lobby?"),
    "de": ("suchen Sie Personal?", "schönes Schaufenster", "wer hat das Bild im Foyer gemalt?"),
    "fr": ("recrutez-vous ?", "jolie vitrine", "qui a peint le tableau du hall ?"),
    "zh": ("你们招人吗？", "橱窗很漂亮", "大厅的画是谁画的？"),
}


def messages(people: People, since: Micros, until: Micros, *, seed: int) -> list[dict[str, Any]]:
    """Messages in order of time, as rows of an events file: `MESSAGES`, of a small shop one for every second person."""
    count = min(MESSAGES, len(people) // 2)
    draw = np.random.default_rng([seed, 8])
    written = sorted(int(at) for at in draw.integers(since // SECOND, until // SECOND, count))
    intents = tuple(BODIES)
    rows = []
    for number, at in enumerate(written):
        person = int(draw.integers(len(people)))
        language = "zh" if draw.random() < CHINESE else LOCALES[people.country[person]][:2]
        intent = None if draw.random() < OTHER else intents[int(draw.integers(len(intents)))]
        bodies = ELSE[language] if intent is None else BODIES[intent][language]
        body = _one(bodies, draw).format(_one(THINGS[language], draw))
        text = _one(OPENINGS[language], draw) + body + _one(CLOSINGS[language], draw)
        said = {"event_id": f"m{number:05d}", "user_id": people.ids[person], "event_type": "message"}
        rows.append(said | {"event_time": _iso(at), "text": text} | ({"event_action": intent} if intent else {}))
    return rows


def body(rows: list[dict[str, Any]]) -> bytes:
    """The rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _one(choices: tuple[str, ...], draw: np.random.Generator) -> str:
    return choices[int(draw.integers(len(choices)))]


def _iso(second: int) -> str:
    at = moment(0) + timedelta(seconds=second)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
