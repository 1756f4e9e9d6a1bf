// What it changed in money, what wants attention, and where things go: the page a marketer opens every morning.

import { h } from "./dom.js";
import { bars, card, domain, folded, heat, interval, lines, scale, stacked, table } from "./charts.js";
import { channel, count, daily, day, label, model, money, precise, ratio, share, shortDay, span, t, told, verdict, whole as joined } from "./words.js";

const STALE_HOURS = 30, REJECTED = 0.05, BOUNCED = 0.05, COMPLAINED = 0.001;

export function overview({ report, now }) {
  return [
    alerts(report, now),
    h("div", { class: "grid" }, headline(report), numbers(report)),
    course(report),
    activities(report),
    h("div", { class: "pillars" }, groups(report), trend(report), customers(report)),
  ];
}

// ── what wants attention ─────────────────────────────────────────────────────────────────────────────────────────────────
export function found(report, now) {
  const list = [];
  const add = (tone, title, words, to) => list.push({ tone, title, words, to });
  const each = report.goals.flatMap((goal) => goal.activities);
  const hours = (now - Date.parse(report.generated_at)) / 3600000;
  if (hours > STALE_HOURS) add("warn", t("The report is old."), t("It was made on {day}; it is due every day.", { day: day(report.generated_at) }), null);
  for (const [name, one] of [...each.map((one) => [label(one.activity), one.sample_ratio]), [t("Whole programme"), report.programme.sample_ratio]]) {
    if (one.flagged) add("warn", t("{name}: sample ratio.", { name }), told(one.note), "#/campaigns");
  }
  for (const one of each) {
    const gain = daily(one.incremental_value, one.reading);
    if (gain.high !== null && gain.high < 0) add("loss", t("{name} loses money.", { name: label(one.activity) }), t("Beyond chance: {span}.", { span: span(gain, (value) => money(value, report.currency, true)) }), "#/campaigns");
  }
  const sum = (name) => each.reduce((all, one) => all + (one.messages?.[name] || 0), 0), sent = sum("sent");
  if (sent && sum("bounced") / sent > BOUNCED) add("loss", t("Many messages bounce."), share(sum("bounced") / sent), "#/campaigns");
  if (sent && sum("complained") / sent > COMPLAINED) add("loss", t("People complain."), share(sum("complained") / sent), "#/campaigns");
  if (sum("unknown")) add("warn", t("{n} messages have an unknown end.", { n: count(sum("unknown")) }), t("Nobody knows whether they were sent; they are never sent again by themselves."), "#/campaigns");
  const data = report.data_quality;
  if (!data.reconciles) add("loss", t("Rows do not add up."), t("Some rows read were neither accepted, rejected nor duplicate (yet): see Data."), "#/data");
  if (data.quarantine_share > REJECTED) add("warn", t("Many rows are rejected."), t("{share} of the rows went to quarantine.", { share: share(data.quarantine_share) }), "#/data");
  for (const one of report.models) {
    const far = Math.max(0, ...Object.values(one.drift?.over || {}));
    if (far > 1) add("warn", t("{name} has drifted.", { name: model(one.goal) }), t("It is trained again."), `#/models/${encodeURIComponent(one.goal)}`);
    if (one.signature === "not ours") add("loss", t("{name}: the signature does not hold.", { name: model(one.goal) }), t("It is not used for decisions."), `#/models/${encodeURIComponent(one.goal)}`);
  }
  for (const one of report.forecasts || []) {
    const odd = one.series.flatMap((each) => each.flags.map((flag) => ({ ...flag, of: each.series }))).slice(-1)[0];
    if (odd) add("open", t("{name} was unusual on {day}.", { name: naming(one, odd.of), day: day(odd.at) }), t("{value} came, {expected} were expected.", { value: amount(one, odd.value, report), expected: amount(one, odd.expected, report) }), null);
  }
  return list;
}

function alerts(report, now) {
  const list = found(report, now);
  if (!list.length) return h("p", { class: "calm good" }, t("Groups are split as planned, and every row that was read is accounted for."));
  const one = ({ tone, title, words, to }) => h("li", { class: `alert ${tone}` }, h("p", {}, h("strong", {}, title), " ", words), to ? h("a", { href: to, "aria-label": t("Look at {what}", { what: title }) }, t("Look")) : null);
  const [first, rest] = [list.slice(0, 3), list.slice(3)];
  return h(
    "section",
    { class: "alerts", "aria-label": t("Alerts") },
    h("ul", {}, first.map(one)),
    rest.length ? folded(t("{n} more", { n: rest.length }), h("ul", {}, rest.map(one))) : null,
  );
}

// ── money ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
function headline(report) {
  const whole = report.total.incremental_value, gain = daily(whole, report.total.reading);
  const { tone, words } = verdict(gain), write = (value) => money(value, report.currency, true);
  if (gain.estimate === null || gain.low === null) {
    return card(t("Incremental value"), h("p", { class: "mid" }, t("Nothing to report yet")), h("p", {}, told(whole.note)));
  }
  const of = domain([gain.low, gain.high, gain.estimate, whole.low, whole.high]);
  return card(
    t("Incremental value: what would not have come without it"),
    h("p", { class: `big ${tone}` }, write(gain.estimate)),
    h("p", {}, t("{verdict}. With 95 % confidence it lies between {low} and {high}.", { verdict: words, low: joined(write(gain.low)), high: joined(write(gain.high)) })),
    interval(whole, gain, of, { label: `${write(gain.estimate)}, ${span(gain, write)}`, tone }),
    scale(of, write),
    gain === whole ? null : h("p", { class: "small" }, t("The wide band is right however often you look, and whenever you stop: read it every day. The narrow one, {low} to {high}, is right for a single look on a day that was set beforehand.", { low: joined(write(whole.low)), high: joined(write(whole.high)) })),
    gain.note ? h("p", { class: "small" }, told(gain.note)) : null,
  );
}

export const figure = (name, value, detail, tone = "") => h("div", { class: "figure" }, h("dt", {}, name), h("dd", { class: `mid ${tone}` }, value), h("dd", { class: "small" }, detail));

function numbers(report) {
  const back = daily(report.total.roi, report.total.reading), whole = daily(report.programme.incremental_value, report.programme.reading);
  const write = (value) => money(value, report.currency, true);
  const sent = report.goals.flatMap((goal) => goal.activities).reduce((all, one) => all + (one.messages?.sent || 0), 0);
  const people = report.programme.people;
  return h(
    "dl",
    { class: "card figures" },
    figure(t("Return on cost"), ratio(back.estimate), t("for each {one} of {cost} spent; {span}", { one: money(1, report.currency), cost: money(report.total.cost, report.currency), span: span(back, ratio) }), verdict(back).tone),
    figure(t("Whole programme so far"), write(whole.estimate), t("{span}; everyone against {n} people never contacted", { span: span(whole, write), n: count(people.global_holdout) }), verdict(whole).tone),
    figure(t("Messages sent and offers shown"), count(sent), t("decisions for {n} people", { n: count((people.programme || 0) + (people.global_holdout || 0)) })),
  );
}

function course(report) {
  const points = (report.course || []).filter((one) => one.low !== null && one.high !== null).map((one) => ({ at: one.day, value: one.estimate, low: one.low, high: one.high, people: one.people }));
  if (points.length < 2) return null;
  const write = (value) => money(value, report.currency, true), last = points.at(-1);
  const { tone } = verdict({ low: last.low, high: last.high });
  const rows = points.toReversed().map((one) => [day(one.at), write(one.value), write(one.low), write(one.high), count(one.people)]);
  return card(
    t("Incremental value over time"),
    h("p", { class: "lead" }, t("As it would have been read on each day, of the people whose windows had ended. The band holds the truth on all days together.")),
    lines([{ tone: tone === "open" ? "us" : tone, points }], {
      write, when: shortDay, height: 240,
      label: t("Incremental value from {first} to {last}: now {value}, between {span}", { first: day(points[0].at), last: day(last.at), value: write(last.value), span: span(last, write) }),
      table: table(t("Incremental value over time"), [{ name: t("Day") }, { name: t("Estimate"), number: true }, { name: t("From"), number: true }, { name: t("To"), number: true }, { name: t("People"), number: true }], rows, true),
    }),
  );
}

// ── by activity, by group ────────────────────────────────────────────────────────────────────────────────────────────────
export function forest(rows, currency, { name, to, signed = true }) {
  const known = rows.filter((one) => one.incremental_value.estimate !== null);
  const reads = known.map((one) => daily(one.incremental_value, one.reading || one.total?.reading));
  const of = domain([...reads.flatMap((one) => [one.low, one.high, one.estimate]), ...known.map((one) => one.truth?.incremental_value)]);
  const write = (value) => money(value, currency, signed);
  const row = (one) => {
    const gain = daily(one.incremental_value, one.reading || one.total?.reading), { tone, words } = verdict(gain), said = name(one);
    const real = one.truth?.incremental_value;
    const truth = real === undefined || real === null ? "" : t(", true {value}", { value: write(real) });
    return h(
      "li",
      { class: "forest-row" },
      h("div", {}, h("a", { href: to(one) }, label(said)), h("small", { class: `tone ${tone}` }, words)),
      gain.estimate === null
        ? h("p", { class: "small" }, told(gain.note) || t("not known yet"))
        : interval(one.incremental_value, gain, of, { tone, truth: real, label: t("{name}: incremental value {value}, between {span} however often it is read", { name: label(said), value: write(gain.estimate), span: span(gain, write) }) + truth }),
      h("div", { class: "end" }, h("b", {}, gain.estimate === null ? "–" : write(gain.estimate)), h("small", {}, gain.estimate === null ? "" : span(gain, write)), truth ? h("small", { class: "truth-word" }, t("true {value}", { value: write(real) })) : null),
    );
  };
  const truths = known.some((one) => one.truth);
  return [
    h("ul", { class: "forest" }, rows.map(row), known.length ? h("li", { class: "forest-row foot", "aria-hidden": "true" }, h("div", {}), scale(of, write), h("div", {})) : null),
    truths ? h("p", { class: "small" }, t("The diamond is the true effect, which only a simulation knows.")) : null,
  ];
}

export const activityPlace = (one) => `#/campaigns/activity/${encodeURIComponent(one.goal)}/${encodeURIComponent(one.activity)}`;

function activities(report) {
  const rows = report.goals.flatMap((goal) => goal.activities.map((one) => ({ ...one, goal: goal.goal })));
  if (!rows.length) return null;
  return card(
    t("What each activity changed"),
    h("p", { class: "lead" }, t("Incremental value: the dot is the estimate. The wide band may be read every day; the narrow one is the 95 % interval for a single look at the end. The dashed line is no effect.")),
    forest(rows, report.currency, { name: (one) => one.activity, to: activityPlace }),
  );
}

function groups(report) {
  const rows = report.goals.filter((goal) => goal.activities.length).flatMap((goal) =>
    goal.activities.filter((one) => one.conversions?.treatment?.rate !== null && one.conversions?.holdout?.rate !== null).map((one) => ({ goal, one })),
  );
  const programme = report.programme.conversions;
  const pairs = [
    ...rows.map(({ one }) => [label(one.activity), one.conversions.treatment, one.conversions.holdout]),
    ...(programme.programme.rate === null || programme.global_holdout.rate === null ? [] : [[t("Whole programme"), programme.programme, programme.global_holdout]]),
  ];
  if (!pairs.length) return card(t("Treated and held out"), h("p", { class: "calm" }, t("nobody yet")));
  const most = Math.max(...pairs.flatMap(([, us, held]) => [us.rate, held.rate]));
  return card(
    t("Treated and held out"),
    h("p", { class: "lead" }, t("Share of people who converted within their window.")),
    pairs.map(([name, us, held]) => h("div", { class: "pairing" }, h("h3", {}, name), bars([
      { name: t("Treated"), said: t("{share} of {n} people", { share: share(us.rate), n: count(us.people) }), value: us.rate, tone: "us" },
      { name: t("Held out"), said: t("{share} of {n} people", { share: share(held.rate), n: count(held.people) }), value: held.rate, tone: "held" },
    ], most))),
  );
}

// ── where things go ──────────────────────────────────────────────────────────────────────────────────────────────────────
const amount = (one, value, report) => (one.of === "value" ? money(value, report.currency) : count(value));
const naming = (one, series) => `${label(one.event)} (${series === "all" ? t("all") : label(series)})`;

function trend(report) {
  const every = (report.forecasts || []).flatMap((one) => one.series.map((series) => ({ one, series })));
  if (!every.length) return card(t("Forecasts"), h("p", { class: "calm" }, t("No demand model is in force yet.")));
  const shown = h("div", {});
  const show = (at) => shown.replaceChildren(...drawn(every[at], report));
  show(0);
  const options = every.map(({ one, series }, at) => h("option", { value: at }, `${naming(one, series.series)}, ${t(one.every === "day" ? "by day" : one.every === "week" ? "by week" : "by month")}`));
  const pick = every.length > 1 ? h("label", { class: "chooser wide" }, h("span", { class: "unseen" }, t("Series")), h("select", { onchange: (event) => show(+event.target.value) }, options)) : null;
  return card(t("Forecasts"), h("p", { class: "lead" }, t("What is expected next, with the band that holds it in 95 of 100 cases. Orange dots were unusual.")), pick, shown);
}

function drawn({ one, series }, report) {
  const write = (value) => amount(one, value, report);
  const past = series.points.map(({ at, value }) => ({ at, value }));
  const next = series.forecast.map(({ at, value, low, high }) => ({ at, value, low, high }));
  const expected = next.reduce((sum, each) => sum + each.value, 0);
  const unit = t(one.every === "day" ? "{n} days" : one.every === "week" ? "{n} weeks" : "{n} months", { n: count(next.length) });
  const said = t("{total} expected in the next {unit}", { total: write(expected), unit });
  const rows = next.map((each) => [day(each.at), write(each.value), write(each.low), write(each.high)]);
  return [
    h("p", { class: "mid" }, said),
    lines([{ tone: "held", points: past }, { tone: "us", points: past.length && next.length ? [{ ...past.at(-1) }, ...next] : next }], {
      write, when: shortDay, label: `${naming(one, series.series)}: ${said}`, marks: series.flags.map((flag) => ({ at: flag.at, value: flag.value })),
      table: table(t("Forecasts"), [{ name: t("Day") }, { name: t("Estimate"), number: true }, { name: t("From"), number: true }, { name: t("To"), number: true }], rows, true),
    }),
  ];
}

// ── customers ────────────────────────────────────────────────────────────────────────────────────────────────────────────
const SEGMENTS = {
  champions: "Champions", loyal: "Loyal", potential_loyalists: "Potential loyalists", potential: "Potential loyalists", new: "New", promising: "Promising",
  need_attention: "Need attention", attention: "Need attention", about_to_sleep: "About to sleep", at_risk: "At risk", cannot_lose: "Cannot lose them", hibernating: "Hibernating",
};
const ENDS = [["reachable", "Reachable", "us"], ["no_consent", "No consent", "held"], ["no_address", "No address", "pale"], ["unsubscribe", "Unsubscribed", "warn"], ["bounce", "Bounced", "warn"], ["complaint", "Complained", "loss"]];

function customers(report) {
  const known = report.customers;
  return known ? [weeks(known, report), segments(known, report), reachable(known), kept(known), products(known, report)] : null;
}

function weeks(known, report) {
  const points = (known.weeks || []).map((one) => ({ at: one.week, value: one.value }));
  if (points.length < 2) return null;
  const write = (value) => money(value, report.currency);
  return card(t("Sales by week"), lines([{ tone: "held", points }], { write, when: shortDay, height: 180, label: t("Sales by week, from {first} to {last}", { first: day(points[0].at), last: day(points.at(-1).at) }), table: table(t("Sales by week"), [{ name: t("Week") }, { name: t("Sales"), number: true }, { name: t("Orders"), number: true }, { name: t("People"), number: true }], known.weeks.toReversed().map((one) => [day(one.week), write(one.value), count(one.orders), count(one.people)]), true) }));
}

function segments(known, report) {
  const rows = known.rfm?.segments || [];
  if (!rows.length) return null;
  return card(t("Segments, by what they have spent"), bars(rows.map((one) => ({ name: t(SEGMENTS[one.segment] || label(one.segment)), said: t("{people} people, {money}", { people: count(one.people), money: money(one.spent, report.currency) }), value: one.spent || 0 }))));
}

function reachable(known) {
  const rows = known.reachability?.channels || [];
  if (!rows.length) return null;
  return card(
    t("Whom we can reach"),
    h("p", { class: "lead" }, t("Of {n} people known. Unknown consent counts as none.", { n: count(known.reachability.people) })),
    rows.map((one) => h("div", { class: "pairing" }, h("h3", {}, label(channel(one.channel))), stacked(ENDS.map(([name, said, tone]) => ({ name: t(said), value: one.ends[name], tone })), count, `${channel(one.channel)}: ${t("{n} reachable", { n: count(one.ends.reachable) })}`))),
  );
}

function kept(known) {
  const rows = known.cohorts?.rows || [];
  if (!rows.length) return null;
  const most = Math.max(0.01, ...rows.flatMap((one) => one.kept.map((each) => each.share || 0))), wide = Math.max(...rows.map((one) => one.kept.length));
  const words = known.cohorts.every === "week" ? "By week of the first order: how many of them ordered again 1, 2, 3 … weeks later." : "By month of the first order: how many of them ordered again 1, 2, 3 … months later.";
  return card(t("Do they come back?"), h("p", { class: "lead" }, t(words)), heat(t("Do they come back?"), [t("First order"), t("People"), ...Array.from({ length: wide }, (_, n) => String(n + 1))], rows.map((one) => ({
    name: shortDay(one.cohort), cells: [{ said: count(one.people), value: null }, ...one.kept.map((each) => ({ said: each.share === null ? "–" : `${Math.round(each.share * 100)}`, value: each.share }))],
  })), most), h("p", { class: "small" }, t("In per cent.")));
}

function products(known, report) {
  const rows = known.items?.rows || [];
  if (!rows.length) return null;
  const changed = (one) => (one.before ? `${one.value >= one.before ? "+" : "−"}${precise(Math.abs(one.value / one.before - 1) * 100)}\u00a0%` : t("new"));
  return card(t("Top products"), table(t("The latest {n} days, and the change from the {n} days before.", { n: known.items.days }), [{ name: t("Product") }, { name: t("Sales"), number: true }, { name: t("Orders"), number: true }, { name: t("Change"), number: true }], rows.map((one) => [one.title || one.item, money(one.value, report.currency), count(one.orders), changed(one)])));
}
