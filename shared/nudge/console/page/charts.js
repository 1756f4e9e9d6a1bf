// Drawings with a text alternative. Positions are per cent of the width, so that a drawing stretches with the page; text lies
// outside what is stretched. Every drawing is one picture to a screen reader, said in a sentence; where it shows more than a
// sentence holds, a table of the same figures stands below it.

import { h, s, uid } from "./dom.js";
import { t } from "./words.js";

const pct = (value) => `${Math.round(value * 10000) / 100}%`;

export function domain(values, zero = true) {
  const known = values.filter((one) => Number.isFinite(one));
  const all = zero || !known.length ? [...known, 0] : known;
  const low = Math.min(...all), high = Math.max(...all);
  const air = (high - low) * 0.08 || 1;
  return [low < 0 || !zero ? low - air : low, high > 0 || !zero ? high + air : high + (low < 0 ? 0 : air)];
}

export const place = (value, [low, high]) => Math.min(1, Math.max(0, (value - low) / (high - low || 1)));

// At most `most` round numbers inside a range.
export function ticks([low, high], most = 4) {
  const rough = (high - low) / most, size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((by) => by * size).find((one) => one >= rough) || rough;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(Math.abs(at) < step / 1e6 ? 0 : at);
  return found;
}

// Two bands and a dot on a line: the interval that may be read daily, the one for a single look, the estimate.
export function interval(one, wide, of, { label, tone, truth } = {}) {
  const at = (value) => pct(place(value, of));
  const band = (low, high, name, height) =>
    s("rect", { x: at(low), y: 20 - height / 2, width: pct(place(high, of) - place(low, of)), height, rx: height / 2, class: `${name} ${tone}` });
  const parts = [s("line", { x1: at(0), x2: at(0), y1: 2, y2: 38, class: "zero" })];
  if (wide.low !== null && wide.low !== undefined) parts.push(band(wide.low, wide.high, "band", 14));
  if (one.low !== null && one.low !== undefined && one.low !== wide.low) parts.push(band(one.low, one.high, "inner", 5));
  if (one.estimate !== null && one.estimate !== undefined) parts.push(s("circle", { cx: at(one.estimate), cy: 20, r: 7, class: `dot ${tone}` }));
  if (truth !== undefined && truth !== null) {
    const x = place(truth, of) * 100;
    parts.push(s("svg", { x: `${x}%`, y: 20, overflow: "visible" }, s("path", { d: "M0-8 8 0 0 8-8 0Z", class: "truth" })));
  }
  return s("svg", { width: "100%", height: 40, role: "img", "aria-label": label, class: "interval" }, parts);
}

export function scale(of, write) {
  const marks = ticks(of, 4).map((value) => {
    const x = place(value, of);
    return s("text", { x: pct(x), y: 12, class: "tick", "text-anchor": x < 0.06 ? "start" : x > 0.94 ? "end" : "middle" }, write(value));
  });
  return s("svg", { width: "100%", height: 16, "aria-hidden": "true" }, marks);
}

export function bar(value, most, tone, label) {
  const width = most ? Math.max(0, Math.min(1, value / most)) : 0;
  return s(
    "svg",
    label ? { width: "100%", height: 8, role: "img", "aria-label": label, class: "bar" } : { width: "100%", height: 8, "aria-hidden": "true", class: "bar" },
    s("rect", { width: "100%", height: 8, rx: 4, class: "track" }),
    s("rect", { width: pct(width), height: 8, rx: 4, class: `fill ${tone}` }),
  );
}

// Parts of a whole: [{name, value, tone}], with a legend that carries the figures.
export function stacked(parts, write, label) {
  const shown = parts.filter((one) => one.value > 0), all = shown.reduce((sum, one) => sum + one.value, 0);
  let x = 0;
  const drawn = shown.map((one) => {
    const width = one.value / (all || 1), from = x;
    x += width;
    return s("rect", { x: pct(from), width: pct(width), height: 18, class: `fill ${one.tone}` });
  });
  return h(
    "div",
    { class: "stacked-bar" },
    s("svg", { width: "100%", height: 18, role: "img", "aria-label": label, class: "round" }, s("rect", { width: "100%", height: 18, class: "track" }), drawn),
    h("ul", { class: "legend" }, shown.map((one) => h("li", {}, h("i", { class: `key ${one.tone}`, "aria-hidden": "true" }), `${one.name} `, h("b", {}, write(one.value))))),
  );
}

// Lines with their bands over time. series: [{tone, points: [{at, value, low?, high?}]}], `at` any Date text; marks: [{at, value, name}].
export function lines(series, { write, when, label, marks = [], height = 220, zero = true, table }) {
  const every = series.flatMap((one) => one.points);
  if (!every.length) return h("p", { class: "calm" }, t("none yet"));
  const times = every.map((one) => Date.parse(one.at));
  const first = Math.min(...times), last = Math.max(...times);
  const of = domain([...every.flatMap((one) => [one.value, one.low, one.high]), ...marks.map((one) => one.value)], zero);
  const x = (at) => (last > first ? (Date.parse(at) - first) / (last - first) : 0.5);
  const up = (value) => 1 - place(value, of);
  const xy = (at, value) => `${(x(at) * 100).toFixed(2)},${(up(value) * 100).toFixed(2)}`;
  const drawn = series.flatMap(({ tone, points }) => {
    const band = points.filter((one) => Number.isFinite(one.low) && Number.isFinite(one.high));
    const edge = [...band.map((one) => xy(one.at, one.high)), ...band.toReversed().map((one) => xy(one.at, one.low))];
    const path = points.map((one) => xy(one.at, one.value)).join(" ");
    return [
      band.length > 1 ? s("polygon", { points: edge.join(" "), class: `area ${tone}` }) : null,
      points.length > 1 ? s("polyline", { points: path, class: `line ${tone}` }) : null,
    ];
  });
  const rules = ticks(of).map((value) => [
    s("line", { x1: 0, x2: "100%", y1: pct(up(value)), y2: pct(up(value)), class: value === 0 ? "zero" : "rule" }),
    s("text", { x: 0, y: pct(up(value)), dy: -4, class: "tick halo" }, write(value)),
  ]);
  const dots = [
    ...series.flatMap(({ tone, points }) => (points.length === 1 ? points : points.slice(-1)).map((one) => ({ ...one, tone, r: 4.5 }))),
    ...marks.map((one) => ({ ...one, tone: "warn", r: 5.5 })),
  ].map((one) => s("circle", { cx: pct(x(one.at)), cy: pct(up(one.value)), r: one.r, class: `dot ${one.tone}` }));
  const plot = s(
    "svg",
    { width: "100%", height, role: "img", "aria-label": label, class: "plot" },
    s("svg", { width: "100%", height: "100%", viewBox: "0 0 100 100", preserveAspectRatio: "none" }, drawn),
    rules,
    dots,
  );
  const stage = h("div", { class: "stage" }, plot);
  pointed(stage, plot, series, { x, up, write, when });
  return h(
    "figure",
    {},
    stage,
    h("div", { class: "ends", "aria-hidden": "true" }, h("span", {}, when(new Date(first).toISOString())), h("span", {}, when(new Date(last).toISOString()))),
    table ? folded(t("As a table"), table) : null,
  );
}

// What the pointer is over: the nearest point of the first series that has one, with its band.
function pointed(stage, plot, series, { x, up, write, when }) {
  const points = series.flatMap((one) => one.points);
  const rule = s("line", { y1: 0, y2: "100%", class: "cursor" });
  const tip = h("div", { class: "tip", "aria-hidden": "true", hidden: true });
  stage.append(tip);
  stage.addEventListener("pointermove", (event) => {
    const box = stage.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width;
    const near = points.reduce((best, one) => (Math.abs(x(one.at) - at) < Math.abs(x(best.at) - at) ? one : best));
    rule.setAttribute("x1", pct(x(near.at)));
    rule.setAttribute("x2", pct(x(near.at)));
    if (!rule.isConnected) plot.append(rule);
    const band = Number.isFinite(near.low) ? ` (${t("{low} to {high}", { low: write(near.low), high: write(near.high) })})` : "";
    tip.replaceChildren(h("b", {}, write(near.value)), band, h("span", {}, when(near.at)));
    tip.hidden = false;
    const left = Math.min(Math.max(x(near.at) * box.width, tip.offsetWidth / 2), box.width - tip.offsetWidth / 2);
    tip.style.left = `${left}px`;
    tip.style.top = `${Math.max(up(near.value) * plot.clientHeight - 14, 30)}px`;
  });
  stage.addEventListener("pointerleave", () => {
    tip.hidden = true;
    rule.remove();
  });
}

// A column a day: [{name, value, tone, said}].
export function columns(parts, { label, ends, height = 120 }) {
  const most = Math.max(1, ...parts.map((one) => one.value)), width = 1 / Math.max(parts.length, 1);
  const drawn = parts.map((one, n) => {
    const size = one.value / most;
    return s("rect", { x: pct((n + 0.12) * width), width: pct(width * 0.76), y: pct(1 - size), height: pct(size), rx: 2, class: `fill ${one.tone}` }, s("title", {}, one.said));
  });
  return h(
    "figure",
    {},
    s("svg", { width: "100%", height, role: "img", "aria-label": label, class: "plot" }, s("line", { x1: 0, x2: "100%", y1: "100%", y2: "100%", class: "rule" }), drawn),
    h("div", { class: "ends", "aria-hidden": "true" }, h("span", {}, ends[0]), h("span", {}, ends[1])),
  );
}

// What was said across, what came up; a dot a tenth of the people, its size their number.
export function calibration(points, { label, write }) {
  const most = Math.max(...points.flatMap((one) => [one.said, one.was])) * 1.1 || 1, people = Math.max(...points.map((one) => one.rows));
  const marks = ticks([0, most], 4).filter((one) => one > 0);
  return s(
    "svg",
    { viewBox: "-34 -6 254 236", role: "img", "aria-label": label, class: "calibration" },
    marks.map((one) => [
      s("line", { x1: 0, x2: 210, y1: 210 - (one / most) * 210, y2: 210 - (one / most) * 210, class: "rule" }),
      s("text", { x: -6, y: 214 - (one / most) * 210, "text-anchor": "end", class: "tick" }, write(one)),
      s("text", { x: (one / most) * 210, y: 226, "text-anchor": "middle", class: "tick" }, write(one)),
    ]),
    s("line", { x1: 0, y1: 210, x2: 210, y2: 0, class: "zero" }),
    s("polyline", { points: points.map((one) => `${(one.said / most) * 210},${210 - (one.was / most) * 210}`).join(" "), class: "line us" }),
    points.map((one) => s("circle", { cx: (one.said / most) * 210, cy: 210 - (one.was / most) * 210, r: 2 + 3.5 * Math.sqrt(one.rows / people), class: "dot gain" }, s("title", {}, `${write(one.said)} → ${write(one.was)}`))),
  );
}

// Effects to the left and the right of nothing.
export function diverging(value, most, label) {
  const size = most ? Math.abs(value) / most / 2 : 0;
  return s(
    "svg",
    { width: "100%", height: 10, role: "img", "aria-label": label, class: "bar" },
    s("rect", { width: "100%", height: 10, rx: 5, class: "track" }),
    s("rect", { x: pct(value < 0 ? 0.5 - size : 0.5), width: pct(size), height: 10, class: `fill ${value < 0 ? "loss" : "us"}` }),
    s("line", { x1: "50%", x2: "50%", y1: 0, y2: 10, class: "middle" }),
  );
}

// A table of rows; the first cell of each names the row. head: [{name, number}].
export function table(caption, head, rows, quiet = false) {
  const cells = (row) =>
    row.map((cell, n) => (n === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: head[n].number ? "num" : null, "data-head": head[n].name }, h("span", {}, cell))));
  return h(
    "table",
    { class: "rows" },
    h("caption", { class: quiet ? "unseen" : null }, caption),
    h("thead", {}, h("tr", {}, head.map((one) => h("th", { scope: "col", class: one.number ? "num" : null }, one.name)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, cells(row)))),
  );
}

export const folded = (title, ...inside) => h("details", { class: "folded" }, h("summary", {}, title), inside);

export const card = (title, ...inside) => {
  const id = uid("card");
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), inside);
};

// A name, a figure and a bar, for each of a list: [{name, said, value, tone}].
export function bars(parts, most = Math.max(0, ...parts.map((one) => one.value))) {
  return h("ul", { class: "bars" }, parts.map((one) => h("li", {}, h("span", {}, one.name), h("b", {}, one.said), bar(one.value, most, one.tone || "us"))));
}

// Shades of a number: tables as heat. rows: [{name, cells: [{said, value, note}]}].
export function heat(caption, head, rows, most) {
  const shade = (value) => (value === null || value === undefined ? "none" : Math.round((Math.max(0, value) / (most || 1)) * 6));
  return h(
    "div",
    { class: "sideways", tabindex: 0, role: "group", "aria-label": caption },
    h(
      "table",
      { class: "heat" },
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, head.map((one) => h("th", { scope: "col" }, one)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.name), row.cells.map((one) => h("td", { class: `shade-${shade(one.value)}` }, one.said, one.note ? h("small", {}, one.note) : null))))),
    ),
  );
}
