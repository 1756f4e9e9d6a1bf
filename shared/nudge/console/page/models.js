// The models in force: what they are, how good, how honest (calibration), what moves them, whether the world has moved away.

import { h } from "./dom.js";
import { bars, calibration, card, folded, table } from "./charts.js";
import { count, day, label, metric, model as title, precise, share, t, told } from "./words.js";

const SIGNATURES = { verified: ["gain", "Signature verified"], "not ours": ["loss", "Signature does not hold: not used for decisions"], "not checked": ["open", "Signature not checked"] };
const MOST = 12;

export function models({ report, rest }) {
  if (!report.models.length) return h("p", { class: "calm" }, t("None yet: decisions follow the plan's rules."));
  const chosen = rest[0] ? report.models.find((one) => one.goal === rest[0]) : null;
  return chosen ? [crumb(chosen.goal), detail(chosen)] : [h("p", { class: "lead" }, t("The model in force for each goal, its figures with their intervals, and why it was chosen.")), h("div", { class: "tiles" }, report.models.map(tile))];
}

const place = (one) => `#/models/${encodeURIComponent(one.goal)}`;
const crumb = (name) => h("p", { class: "crumb" }, h("a", { href: "#/models" }, t("Models")), h("span", { "aria-hidden": "true" }, "›"), h("b", {}, title(name)));
const said = (held) => (held.high === undefined ? precise(held.value) : `${precise(held.value)} (${t("{low} to {high}", { low: precise(held.low), high: precise(held.high) })})`);
const percent = (value) => share(value);

function standing(one) {
  if (!one.version) return { tone: "open", words: t("rules of the plan") };
  if (one.signature === "not ours") return { tone: "loss", words: t("Signature does not hold: not used for decisions") };
  const far = Math.max(0, ...Object.values(one.drift?.over || {}));
  return far > 1 ? { tone: "loss", words: t("Drifted.") } : { tone: "gain", words: t("In force") };
}

function tile(one) {
  const { tone, words } = standing(one), first = Object.entries(one.metrics).slice(0, 2);
  return h(
    "article",
    { class: "tile" },
    h("h2", {}, h("a", { href: place(one) }, title(one.goal))),
    h("p", { class: `tone ${tone}` }, words),
    h("p", { class: "small" }, one.version ? `${one.kind || "–"} · ${one.version}` : told(one.reason)),
    first.length ? h("dl", { class: "pieces" }, first.map(([name, held]) => h("div", {}, h("dt", {}, metric(name)), h("dd", {}, said(held))))) : null,
  );
}

function detail(one) {
  const model = one.card || {}, { tone, words } = standing(one);
  const [mark, signed] = SIGNATURES[one.signature] || SIGNATURES["not checked"];
  return [
    h("p", { class: "lead" }, h("span", { class: `tone ${tone}` }, words), one.version ? [" · ", one.kind, " · ", t("Version {version}.", { version: one.version }), " ", window(model)] : null),
    one.version ? h("p", { class: `tone ${mark}` }, t(signed)) : null,
    one.reason ? h("p", {}, told(one.reason)) : null,
    one.challenger ? h("p", { class: "small" }, `${t("Challenger")} ${one.challenger.version}: ${told(one.challenger.reason)}`) : null,
    h("div", { class: "pillars" }, figures(one), important(model), calibrated(model), drift(one), gates(one)),
    segments(model),
    inputs(model),
    limits(model),
  ];
}

const at = (micros) => (Number.isFinite(micros) ? day(new Date(micros / 1000).toISOString()) : "–");
function window(model) {
  const data = model.data || {};
  return data.first_event === undefined || data.end === undefined ? "" : `${t("Learned from {first} to {last}", { first: at(data.first_event), last: at(data.end) })}.`;
}

function figures(one) {
  const rows = Object.entries(one.metrics).slice(0, MOST);
  if (!rows.length) return null;
  return card(t("On the last slice of time"), h("dl", { class: "pieces" }, rows.map(([name, held]) => h("div", {}, h("dt", {}, metric(name)), h("dd", {}, said(held))))));
}

function calibrated(model) {
  const points = (model.reliability || []).filter((one) => one && Number.isFinite(one.said) && Number.isFinite(one.was) && one.rows);
  if (!points.length) return null;
  const words = points.map((one) => t("{said} said, {was} came", { said: share(one.said), was: share(one.was) })).join("; ");
  const rows = points.map((one, n) => [String(n + 1), share(one.said), share(one.was), count(one.rows)]);
  return card(
    t("Calibration: said (across) and came (up)"),
    calibration(points, { label: t("Calibration: {said}", { said: words }), write: percent }),
    h("p", { class: "small" }, t("Each dot is a tenth of the people; on the line, what was said came true.")),
    folded(t("As a table"), table(t("Calibration: said (across) and came (up)"), [{ name: t("Group") }, { name: t("Said"), number: true }, { name: t("Came"), number: true }, { name: t("Rows"), number: true }], rows, true)),
  );
}

function important(model) {
  const rows = (model.importances || []).filter((one) => one?.name && one.share > 0).slice(0, MOST);
  if (!rows.length) return null;
  const means = model.definitions || {};
  return card(t("What moves the score"), bars(rows.map((one) => ({ name: h("span", {}, one.name, means[one.name] ? h("small", {}, means[one.name]) : null), said: share(one.share), value: one.share }))));
}

function drift(one) {
  const held = one.drift || {};
  if (!one.version) return null;
  const over = Object.entries(held.over || {});
  if (!Object.keys(held).length) return card(t("Drift"), h("p", { class: "calm" }, t("Not measured yet for this version; it is, every day.")));
  const moved = Object.entries(held.moved || {});
  const told_of = held.calibration;
  return card(
    t("Drift"),
    h("p", { class: "lead" }, Math.max(0, ...over.map(([, value]) => value)) > 1 ? `${t("Drifted.")} ${t("It is trained again.")}` : t("Within the plan's threshold.")),
    over.length ? [h("h3", {}, t("Share of the threshold that is used up")), bars(over.map(([name, value]) => ({ name: label(name), said: share(value), value, tone: value > 1 ? "loss" : "us" })), Math.max(1, ...over.map(([, value]) => value)))] : null,
    moved.length ? [h("h3", {}, t("What moved most")), bars(moved.map(([name, value]) => ({ name, said: precise(value), value, tone: "held" })))] : null,
    told_of ? h("p", { class: "small" }, t("Of {rows} later outcomes {came} came, {expected} were expected.", { rows: count(told_of.rows), came: count(told_of.came), expected: precise(told_of.expected) })) : null,
  );
}

function gates(one) {
  if (!one.gates?.length) return null;
  const passed = one.gates.filter((each) => each.passed).length;
  const mark = (each) => h("li", { class: each.passed ? "pass" : "fail" }, h("b", {}, label(each.name)), " ", h("span", { class: `tone ${each.passed ? "gain" : "loss"}` }, each.passed ? t("passed") : t("failed")), h("small", {}, told(each.said)));
  return card(t("Gates: {passed} of {all} passed", { passed, all: one.gates.length }), h("ul", { class: "gates" }, one.gates.map(mark)));
}

function segments(model) {
  const rows = (model.segments || []).filter((one) => one && Array.isArray(one.was) && Array.isArray(one.auc));
  if (!rows.length) return null;
  const three = (held, write) => `${write(held[0])} (${t("{low} to {high}", { low: write(held[1]), high: write(held[2]) })})`;
  return card(t("{n} segments", { n: rows.length }), table(t("The last slice of time by segment; small segments are left out. Intervals: 95 %."), [{ name: t("Segment") }, { name: t("Rows"), number: true }, { name: t("Said"), number: true }, { name: t("Came"), number: true }, { name: "AUC", number: true }], rows.map((one) => [one.segment, count(one.rows), share(one.said), three(one.was, share), three(one.auc, precise)])));
}

function inputs(model) {
  const means = { ...(Array.isArray(model.reads) ? {} : model.reads), ...(Array.isArray(model.features) ? {} : model.features), ...model.definitions };
  const names = [...new Set([...(Array.isArray(model.features) ? model.features.map((one) => one?.name ?? String(one)) : []), ...Object.keys(means)])];
  if (!names.length) return null;
  return h("div", { class: "card" }, folded(t("{n} inputs", { n: count(names.length) }), table(t("What it reads, and what that means."), [{ name: t("Input") }, { name: t("Meaning") }], names.map((name) => [name, String(means[name] ?? "–")]), true)));
}

function limits(model) {
  const versions = Object.entries(model.libraries || {}).map(([name, number]) => `${name} ${number}`).join(", ");
  if (!model.limits?.length && !versions) return null;
  return h("div", { class: "card" }, folded(t("Limits and versions"), (model.limits || []).map((one) => h("p", {}, String(one))), h("p", { class: "small" }, versions)));
}
