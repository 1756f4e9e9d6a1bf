"""A real grocer's files as Nudge takes them: the public Complete Journey data (84.51°, CC0) → users, events, items, plan.

In: the folder with the gzipped CSV files of the `completejourney` package. Out: `users.csv`, `events.csv`, `items.csv`,
`plan.yaml` in a folder of yours, and counts on standard output.

    python -m local.examples.complete_journey OUT_DIR --data DIR
    nudge run --users OUT_DIR/users.csv --events OUT_DIR/events.csv --items OUT_DIR/items.csv --plan OUT_DIR/plan.yaml

- Every line of a receipt is one `purchase`: item = product, category = department, value = sales value. Its id is made of
  household, basket and product, which is unique in this data (checked: it refuses data where it is not).
- Every campaign that a household got is a `campaign_received` at the start of the campaign's first day; every coupon used a
  `coupon_redeemed`. Of redemptions only the day is known: they stand at its last second, so that nothing knows them too
  early. Of both, the action names the campaign and the category its type, which the next campaign will share.
- A price cut that the shop gave on a line is a `discount_taken`, a coupon that counted on it (of whatever campaign, or of a maker)
  a `coupon_used`; the value is the amount. A profile sums them as it sums purchases.
- A campaign's value is the number of coupons that it brings.
- Users are all households, 801 of them with demographics. There are no addresses, so what we do is shown, not mailed.
- Times are taken as UTC, as the package has them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import polars as pl

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "complete-journey"
PLAN = """\
currency: USD
timezone: UTC

goals:
  buys_produce:                    # buys something of a department within two weeks
    event: purchase
    category: PRODUCE
    within_days: 14
    value: from_event
  redeems:                         # redeems a coupon of the campaign received
    event: coupon_redeemed
    after: campaign_received       # asked just after each of these; decide is told which one in the request's context:
                                   # {"after.category": "Type A", "after.value": 209} …
    same: action                   # … about a coupon of that very campaign …
    within_days: 33                # … while it runs: most do for 33 days, two for 47
    value: 2.00

activities:
  produce_banner:
    goal: buys_produce
    channel: inline
    template: banner
    cost: 0.02
  coupon_reminder:
    goal: redeems
    channel: inline
    template: reminder
    cost: 0.02
    audience:
      - {name: days_since.campaign_received, at_most: 33}

policy:
  holdout: 0.05
  exploration: 100
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the four files; returns the exit code."""
    parser = argparse.ArgumentParser(description="Complete Journey as users, events, items and a plan")
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    chosen = parser.parse_args(arguments)
    written = convert(chosen.data, chosen.out)
    print(", ".join(f"{count:,} {name}" for name, count in written.items()))
    return 0


def convert(data: Path, out: Path) -> dict[str, int]:
    """Write `users.csv events.csv items.csv plan.yaml` into `out`; returns the rows written by what they are.

    Raises ValueError when two rows would have one id: they would count once.
    """
    products = read(data, "products").with_columns(_whole_number("product_id"))
    given = {name: read(data, name) for name in ("transactions_sample", "campaigns", "coupon_redemptions")}
    campaigns = read(data, "campaign_descriptions")
    bought = purchases(given["transactions_sample"].with_columns(_whole_number("product_id")), products)
    parts = {
        "purchases": bought,
        "discounts taken": saved(bought, "discount_taken", "retail_disc"),
        "coupons used": saved(bought, "coupon_used", "coupon_disc"),
        "campaigns received": received(given["campaigns"], campaigns, read(data, "coupons")),
        "redemptions": redeemed(given["coupon_redemptions"], campaigns),
    }
    events = pl.concat(parts.values(), how="diagonal").sort("event_time", "event_id")
    if not events["event_id"].is_unique().all():
        raise ValueError("two rows have one id: household, basket and product do not tell these transactions apart")
    people = users(events, read(data, "demographics"))
    out.mkdir(parents=True, exist_ok=True)
    events.write_csv(out / "events.csv")
    people.write_csv(out / "users.csv")
    items(products).write_csv(out / "items.csv")
    (out / "plan.yaml").write_text(PLAN, encoding="utf-8")
    return {"users": people.height, "items": products.height} | {name: part.height for name, part in parts.items()}


def read(data: Path, name: str) -> pl.DataFrame:
    """One of the files, every cell as the text it is; `NA` and nothing are null."""
    return pl.read_csv(data / f"{name}.csv.gz", infer_schema=False, null_values=["NA", ""])


def purchases(lines: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """A `purchase` for each line of a receipt."""
    departments = products.select("product_id", "department")
    return lines.join(departments, on="product_id", how="left", maintain_order="left").select(
        pl.concat_str(pl.lit("line"), "household_id", "basket_id", "product_id", separator="-").alias("event_id"),
        pl.col("household_id").alias("user_id"),
        pl.lit("purchase").alias("event_type"),
        pl.col("transaction_timestamp").str.replace(" ", "T").add("Z").alias("event_time"),
        pl.col("product_id").alias("item_id"),
        pl.col("department").alias("category"),
        pl.col("sales_value").alias("value"),
        *("basket_id", "store_id", "quantity", "retail_disc", "coupon_disc", "coupon_match_disc"),
    )


def saved(bought: pl.DataFrame, kind: str, amount: str) -> pl.DataFrame:
    """An event of a kind for each line on which so much was saved."""
    return bought.filter(pl.col(amount).cast(pl.Float64) > 0).select(
        pl.concat_str(pl.lit(kind), "event_id", separator="-").alias("event_id"),
        pl.lit(kind).alias("event_type"),
        pl.col(amount).alias("value"),
        *("user_id", "event_time", "item_id", "category", "basket_id"),
    )


def received(campaigns: pl.DataFrame, described: pl.DataFrame, coupons: pl.DataFrame) -> pl.DataFrame:
    """A `campaign_received` for each household that got a campaign, when the campaign starts; its value is how many coupons it
    brings."""
    many = coupons.group_by("campaign_id").agg(pl.col("coupon_upc").n_unique().cast(pl.String).alias("value"))
    told = _of_campaign(campaigns, described).join(many, on="campaign_id", how="left", maintain_order="left")
    return told.select(
        pl.concat_str(pl.lit("campaign"), "household_id", "campaign_id", separator="-").alias("event_id"),
        pl.lit("campaign_received").alias("event_type"),
        pl.col("start_date").add("T00:00:00Z").alias("event_time"),
        "value",
        *_CAMPAIGN,
    )


def redeemed(redemptions: pl.DataFrame, described: pl.DataFrame) -> pl.DataFrame:
    """A `coupon_redeemed` for each coupon that a household used."""
    what = ("household_id", "campaign_id", "coupon_upc", "redemption_date")
    return _of_campaign(redemptions, described).select(
        pl.concat_str(pl.lit("coupon"), *what, separator="-").alias("event_id"),
        pl.lit("coupon_redeemed").alias("event_type"),
        pl.col("redemption_date").add("T23:59:59Z").alias("event_time"),
        "coupon_upc",
        *_CAMPAIGN,
    )


_CAMPAIGN = (
    pl.col("household_id").alias("user_id"),
    pl.concat_str(pl.lit("campaign "), "campaign_id").alias("event_action"),
    pl.col("campaign_type").alias("category"),
)


def _of_campaign(rows: pl.DataFrame, described: pl.DataFrame) -> pl.DataFrame:
    return rows.join(described, on="campaign_id", how="left", maintain_order="left")


def users(events: pl.DataFrame, demographics: pl.DataFrame) -> pl.DataFrame:
    """Every household that did or got something or told who it is, with its demographics where they are known."""
    told = demographics.rename({"household_id": "user_id"})
    everyone = pl.concat([events.select("user_id"), told.select("user_id")]).unique()
    return everyone.join(told, on="user_id", how="left").sort(pl.col("user_id").cast(pl.Int64))


def items(products: pl.DataFrame) -> pl.DataFrame:
    """Products: the title is the finest name they have."""
    return products.select(
        pl.col("product_id").alias("item_id"),
        pl.coalesce("product_type", "product_category", "department").alias("title"),
        pl.col("department").alias("category"),
        *("manufacturer_id", "brand", "product_category", "package_size"),
    )


def _whole_number(name: str) -> pl.Expr:
    """One product's id is written 9e+05."""
    return pl.col(name).cast(pl.Float64).cast(pl.Int64).cast(pl.String).alias(name)


if __name__ == "__main__":
    raise SystemExit(main())
