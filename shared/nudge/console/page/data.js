// What came in, what was accepted, and why the rest was not.

import { h } from "./dom.js";
import { bars, card, stacked, table } from "./charts.js";
import { count, label, share, t } from "./words.js";

const PARTS = [["accepted", "Accepted", "us"], ["duplicate", "Duplicate", "pale"], ["rejected", "Rejected", "loss"]];

export function data({ report }) {
  const held = report.data_quality, rows = held.rows.filter((one) => one.read);
  const objects = Object.entries(held.objects || {});
  return [
    h("p", { class: `lead ${held.reconciles ? "" : "notice"}` }, held.reconciles ? t("Every row that was read is accepted, rejected or a duplicate.") : t("Some rows read were neither accepted, rejected nor duplicate (yet): see Data."), " ", t("{share} of the rows went to quarantine.", { share: share(held.quarantine_share) })),
    rows.length ? h("div", { class: "pillars" }, rows.map(kind)) : h("p", { class: "calm" }, t("Nothing has arrived yet.")),
    objects.length ? card(t("Files and requests"), bars(objects.map(([name, value]) => ({ name: label(t(name)), said: count(value), value, tone: name === "done" ? "us" : "warn" })))) : null,
    files(held.files || []),
  ];
}

function kind(one) {
  const said = PARTS.map(([name, words]) => `${t(words)} ${count(one[name])}`).join(", ");
  return card(
    label(t(one.kind)),
    h("p", { class: "mid" }, t("{n} rows", { n: count(one.read) })),
    stacked(PARTS.map(([name, words, tone]) => ({ name: t(words), value: one[name], tone })), count, said),
    one.reconciles ? null : h("p", { class: "notice" }, t("Rows do not add up.")),
    one.reasons.length ? [h("h3", {}, t("Why rejected")), bars(one.reasons.map((each) => ({ name: label(each.reason), said: `${count(each.count)} · ${share(each.count / one.read)}`, value: each.count, tone: "loss" })))] : null,
  );
}

function files(list) {
  if (!list.length) return null;
  const rows = list.map((one) => [one.key, label(t(one.state)), count(one.read), count(one.accepted), count(one.duplicate), one.rejected ? `${count(one.rejected)} · ${share(one.rejected / one.read)}` : "0", one.reasons.map((each) => `${label(each.reason)} ${count(each.count)}`).join(", ") || "–"]);
  const head = [{ name: t("File") }, { name: t("State") }, { name: t("Read"), number: true }, { name: t("Accepted"), number: true }, { name: t("Duplicate"), number: true }, { name: t("Rejected"), number: true }, { name: t("Why rejected") }];
  return card(t("File by file"), table(t("Those that need a look first: unfinished, then with most rejected rows."), head, rows));
}
