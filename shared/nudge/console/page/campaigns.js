// Campaigns and activities: whom they reached and why not the others, what became of the messages, what it changed, for whom.

import { h } from "./dom.js";
import { bars, card, columns, domain, folded, interval, lines, scale, stacked, table } from "./charts.js";
import { activityPlace, figure, forest } from "./overview.js";
import { channel, count, daily, day, label, money, probability, ratio, reason, share, shortDay, span, state, t, told, verdict, whole as joined } from "./words.js";

const TRAITS = { lifecycle: "Stage" };
const STAGES = { never_bought: "never bought", first_purchase: "first purchase, recently", active: "bought again, recently", lapsed: "bought, but not recently" };

export function campaigns({ report, rest }) {
  if (rest[0] === "campaign") return whole(report, rest[1]);
  if (rest[0] === "activity") return single(report, rest[1], rest[2]);
  return [table_of(report), tests(report.goals.map((goal) => ({ ...goal.contrasts, goal: goal.goal })), report), segments(report)];
}

const place = (name) => `#/campaigns/campaign/${encodeURIComponent(name)}`;
const money_of = (report) => (value) => money(value, report.currency, true);

// ── the list ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
function table_of(report) {
  const rows = (report.campaigns || []).map((one) => ({ ...one, incremental_value: one.total.incremental_value, reading: one.total.reading }));
  const each = report.goals.flatMap((goal) => goal.activities.map((one) => ({ ...one, goal: goal.goal })));
  return [
    card(
      t("Campaigns"),
      rows.length
        ? [h("p", { class: "lead" }, t("Each campaign as a whole: whom it reached, what it changed, what it cost.")), h("div", { class: "tiles" }, rows.map((one) => tile(one, report)))]
        : h("p", { class: "calm" }, t("No campaign has run yet. A campaign is a few lines of the plan: an audience, a time, activities.")),
    ),
    each.length
      ? card(t("Activities"), h("p", { class: "lead" }, t("Incremental value: the dot is the estimate. The wide band may be read every day; the narrow one is the 95 % interval for a single look at the end. The dashed line is no effect.")), forest(each, report.currency, { name: (one) => one.activity, to: activityPlace }))
      : null,
  ];
}

function tile(one, report) {
  const gain = daily(one.total.incremental_value, one.total.reading), { tone, words } = verdict(gain), write = money_of(report);
  const of = domain([gain.low, gain.high, gain.estimate]);
  return h(
    "article",
    { class: "tile" },
    h("h3", {}, h("a", { href: place(one.campaign) }, label(one.campaign))),
    h("p", { class: "small" }, t("{first} to {last}", { first: day(one.from), last: day(one.until) })),
    h("p", { class: `mid ${tone}` }, gain.estimate === null ? t("not known yet") : write(gain.estimate)),
    gain.estimate === null ? h("p", { class: "small" }, told(gain.note)) : interval(one.total.incremental_value, gain, of, { tone, label: `${write(gain.estimate)}, ${span(gain, write)}` }),
    h("p", { class: `tone ${tone}` }, words),
    h("p", { class: "small" }, t("{reached} of {n} people reached", { reached: count(one.reach.reached), n: count(one.reach.considered) })),
  );
}

// ── one of them ──────────────────────────────────────────────────────────────────────────────────────────────────────────
const crumb = (name) => h("p", { class: "crumb" }, h("a", { href: "#/campaigns" }, t("Campaigns")), h("span", { "aria-hidden": "true" }, "›"), h("b", {}, label(name)));
const lost = (name) => [crumb(name || "–"), h("p", { class: "calm" }, t("The report knows nothing of this name."))];

function whole(report, name) {
  const one = (report.campaigns || []).find((each) => each.campaign === name);
  if (!one) return lost(name);
  const about = { ...one, incremental_value: one.total.incremental_value, reading: one.total.reading, roi: one.total.roi, cost: one.total.cost, flagged: one.sample_ratio.flagged };
  return [
    crumb(name),
    h("p", { class: "lead" }, t("{first} to {last}", { first: day(one.from), last: day(one.until) }), ` · ${one.goals.map(label).join(", ")}`),
    one.sample_ratio.flagged.length ? h("p", { class: "notice" }, t("Groups are not split as planned: {names}.", { names: one.sample_ratio.flagged.map(label).join(", ") })) : null,
    money_card(about, report),
    h("div", { class: "grid two" }, reach(one), messages(one)),
    one.activities.length ? card(t("By activity"), forest(one.activities, report.currency, { name: (each) => each.activity, to: activityPlace })) : null,
    tests(one.contrasts || [], report),
    days(summed(one.activities)),
  ];
}

function single(report, goal, name) {
  const held = report.goals.find((one) => one.goal === goal), one = held?.activities.find((each) => each.activity === name);
  if (!one) return lost(name);
  const worth = held.worth === "from_event" ? t("what each event says") : money(held.worth, report.currency);
  return [
    crumb(name),
    h("p", { class: "lead" }, `${label(goal)} · ${channel(one.channel)} · `, t("A {event} within {days} days of the decision; worth: {worth}.", { event: label(held.event).toLowerCase(), days: count(held.within_days), worth })),
    one.sample_ratio.flagged ? h("p", { class: "notice" }, told(one.sample_ratio.note)) : null,
    money_card(one, report),
    h("div", { class: "grid two" }, reach(one), messages(one)),
    path(one, report),
    days(one.days || []),
    segments(report, name),
  ];
}

function money_card(one, report) {
  const gain = daily(one.incremental_value, one.reading), { tone, words } = verdict(gain), write = money_of(report);
  const back = daily(one.roi, one.reading), more = daily(one.incremental_conversions, one.reading), signed = (value) => count(value, true);
  const calm = one.incremental_value.variance_reduced && daily(one.incremental_value.variance_reduced, one.reading);
  const maturing = one.people?.not_matured;
  return [
    card(
      t("Incremental value"),
      h("p", { class: `big ${tone}` }, gain.estimate === null ? t("not known yet") : write(gain.estimate)),
      h("p", {}, gain.estimate === null ? told(gain.note) : t("{verdict}. With 95 % confidence it lies between {low} and {high}.", { verdict: words, low: joined(write(gain.low)), high: joined(write(gain.high)) })),
      gain.estimate === null ? null : [interval(one.incremental_value, gain, domain([gain.low, gain.high, gain.estimate]), { tone, truth: one.truth?.incremental_value, label: `${write(gain.estimate)}, ${span(gain, write)}` }), scale(domain([gain.low, gain.high, gain.estimate]), write)],
      gain.estimate !== null && gain.note ? h("p", { class: "small" }, told(gain.note)) : null,
      calm && calm.estimate !== null ? h("p", { class: "small" }, `${t("With their past taken out (CUPED, {share} less noise)", { share: share(calm.removed || 0) })}: ${write(calm.estimate)} (${span(calm, write)})`) : null,
      h("p", { class: "small" }, one.reading?.interval === "fixed" ? t("It has ended on the day the plan said, so this is the interval for a single look.") : t("It still runs: this interval may be read every day.")),
    ),
    h(
      "dl",
      { class: "card figures flat" },
      figure(t("Conversions gained"), more.estimate === null ? t("not known yet") : signed(more.estimate), span(more, signed), verdict(more).tone),
      figure(t("Return on cost"), ratio(back.estimate), span(back, ratio), verdict(back).tone),
      figure(t("Cost so far"), money(one.cost_so_far, report.currency), maturing ? t("{n} people more are still inside their window.", { n: count(maturing) }) : t("Every window has ended.")),
      figure(t("Last touch would say"), money(one.attribution?.value, report.currency), t("{n} conversions credited to the last message before them; most would have come anyway.", { n: count(one.attribution?.conversions) })),
    ),
  ];
}

// ── whom it reached ──────────────────────────────────────────────────────────────────────────────────────────────────────
function reach(one) {
  const steps = [["Considered", one.reach.considered, "held"], ["Possible", one.reach.possible, "held"], ["Chosen", one.reach.chosen, "us"], ["Reached", one.reach.reached, "us"]];
  const missed = one.reach.reasons || [];
  return card(
    t("People reached, and why not the others"),
    bars(steps.map(([name, value, tone]) => ({ name: t(name), said: count(value), value: value || 0, tone }))),
    missed.length ? [h("h3", {}, t("Not reached, because")), bars(missed.map((each) => ({ name: reason(each.reason), said: count(each.people), value: each.people || 0, tone: "pale" })), one.reach.considered || undefined)] : null,
  );
}

const REACTIONS = [["delivered", "us"], ["opened", "us"], ["clicked", "us"], ["bounced", "loss"], ["complained", "loss"], ["unsubscribed", "warn"]];
const ENDS = [["sent", "us"], ["skipped", "held"], ["failed", "loss"], ["unknown", "warn"], ["not_final", "pale"]];

function messages(one) {
  const held = one.messages, said = ENDS.filter(([name]) => held[name]).map(([name]) => `${state(name)} ${count(held[name])}`).join(", ");
  const shown = REACTIONS.filter(([name], at) => held[name] || (at < 3 && one.channel !== "inline"));
  const why = (held.reasons || []).filter((each) => each.count);
  const machines = (held.machine_opened || 0) + (held.machine_clicked || 0);
  return card(
    t("Messages"),
    said ? stacked(ENDS.map(([name, tone]) => ({ name: state(name), value: held[name] || 0, tone })), count, said) : h("p", { class: "calm" }, t("none yet")),
    held.sent && shown.length ? [h("h3", {}, t("Of those sent")), bars(shown.map(([name, tone]) => ({ name: t(name), said: `${count(held[name])} · ${share(held[name] / held.sent)}`, value: held[name] || 0, tone })), held.sent)] : null,
    machines ? h("p", { class: "small" }, `${t("opened by machines (not counted)")}: ${count(held.machine_opened)}; ${t("clicked by machines (not counted)")}: ${count(held.machine_clicked)}`) : null,
    why.length ? h("p", { class: "small" }, t("Why: {why}.", { why: why.map((each) => `${state(each.state)}: ${reason(each.reason)} ${count(each.count)}`).join(", ") })) : null,
  );
}

// ── over time ────────────────────────────────────────────────────────────────────────────────────────────────────────────
function summed(activities) {
  const all = new Map();
  for (const one of activities.flatMap((each) => each.days || [])) {
    const held = all.get(one.day) || { day: one.day, treated: 0, held_out: 0, maturing: false };
    all.set(one.day, { ...held, treated: held.treated + (one.treated || 0), held_out: held.held_out + (one.held_out || 0), maturing: held.maturing || one.maturing });
  }
  return [...all.values()].sort((a, b) => (a.day < b.day ? -1 : 1));
}

function days(list) {
  if (!list.length) return null;
  const open = list.filter((one) => one.maturing).length;
  const words = open ? t("{n} of {all} days are still maturing: drawn pale, not yet in the figures.", { n: open, all: list.length }) : t("All {all} days have matured.", { all: list.length });
  const rows = list.toReversed().map((one) => [day(one.day), count(one.treated), count(one.held_out), one.maturing ? t("still maturing") : t("matured")]);
  return card(
    t("People treated by day"),
    columns(list.map((one) => ({ value: one.treated || 0, tone: one.maturing ? "pale" : "us", said: `${day(one.day)}: ${count(one.treated)}` })), { label: `${t("People treated by day")}. ${words}`, ends: [shortDay(list[0].day), shortDay(list.at(-1).day)] }),
    h("p", { class: "small" }, words),
    folded(t("As a table"), table(t("People treated by day"), [{ name: t("Day") }, { name: t("Treated"), number: true }, { name: t("Held out"), number: true }, { name: "" }], rows, true)),
  );
}

function path(one, report) {
  const points = (one.course || []).filter((each) => each.low !== null && each.high !== null).map((each) => ({ at: each.day, value: each.estimate, low: each.low, high: each.high, people: each.people }));
  if (points.length < 2) return null;
  const write = money_of(report), last = points.at(-1);
  const rows = points.toReversed().map((each) => [day(each.at), write(each.value), write(each.low), write(each.high), count(each.people)]);
  return card(
    t("Day by day"),
    h("p", { class: "lead" }, t("Incremental value per person. The band holds the truth on all days together, so it may be read on any of them.")),
    lines([{ tone: "us", points }], { write, when: shortDay, label: t("Value per person by day, now {value} ({span})", { value: write(last.value), span: span(last, write) }), table: table(t("Day by day"), [{ name: t("Day") }, { name: t("Estimate"), number: true }, { name: t("From"), number: true }, { name: t("To"), number: true }, { name: t("People"), number: true }], rows, true) }),
  );
}

// ── against each other, and for whom ─────────────────────────────────────────────────────────────────────────────────────
function tests(contrasts, report) {
  const every = contrasts.filter((one) => one.pairs?.some((pair) => pair.difference.estimate !== null));
  return every.map((one) => {
    const pairs = one.pairs.filter((pair) => pair.difference.estimate !== null), write = money_of(report);
    const of = domain(pairs.flatMap((pair) => [pair.difference.low, pair.difference.high, pair.difference.estimate]));
    const rows = pairs.map((pair) => {
      const { tone } = verdict(pair.difference), name = t("{second} rather than {first}", { second: label(pair.second), first: label(pair.first) });
      const says = tone === "gain" ? t("better") : tone === "loss" ? t("worse") : t("no difference beyond chance");
      return h(
        "li",
        { class: "forest-row" },
        h("div", {}, h("b", {}, name), h("small", { class: `tone ${tone}` }, says)),
        interval(pair.difference, pair.difference, of, { tone, label: `${name}: ${write(pair.difference.estimate)}, ${span(pair.difference, write)}` }),
        h("div", { class: "end" }, h("b", {}, write(pair.difference.estimate)), h("small", {}, span(pair.difference, write)), h("small", {}, t("p, corrected: {p}", { p: probability(pair.difference.p_value) }))),
      );
    });
    return card(
      `${t("Activities against each other")}: ${label(one.goal)}`,
      h("p", { class: "lead" }, one.best ? t("{name} does better than each other one, beyond chance.", { name: label(one.best) }) : t("No winner yet: no activity does better than each other one beyond chance.")),
      h("ul", { class: "forest" }, rows, h("li", { class: "forest-row foot", "aria-hidden": "true" }, h("div", {}), scale(of, write), h("div", {}))),
      h("p", { class: "small" }, t("{n} comparisons; each person weighs 1 / the probability of what was drawn for them, so the policy's preferences do not count. Intervals and p-values hold for all comparisons together (Holm), on any day.", { n: count(one.looks) })),
    );
  });
}

function segments(report, activity) {
  const told_of = report.segments;
  const rows = (told_of?.rows || []).filter((one) => one.per_person.estimate !== null && (!activity || one.activity === activity));
  if (!rows.length) return null;
  const sorted = rows.toSorted((a, b) => b.found - a.found || (a.per_person.p_value ?? 1) - (b.per_person.p_value ?? 1)).slice(0, 10);
  const of = domain(sorted.flatMap((one) => [one.per_person.low, one.per_person.high, one.per_person.estimate])), write = money_of(report);
  const found = rows.filter((one) => one.found).length;
  const row = (one) => {
    const { tone } = verdict(one.per_person), level = one.trait === "lifecycle" ? t(STAGES[one.level] || one.level) : one.level;
    const name = `${TRAITS[one.trait] ? t(TRAITS[one.trait]) : label(one.trait)}: ${level}`;
    return h(
      "li",
      { class: "forest-row" },
      h("div", {}, h("b", {}, name), h("small", {}, t("{activity}, {n} people", { activity: label(one.activity), n: count((one.people.treatment || 0) + (one.people.holdout || 0)) }))),
      interval(one.per_person, one.per_person, of, { tone, label: `${name}: ${write(one.per_person.estimate)}, ${span(one.per_person, write)}` }),
      h("div", { class: "end" }, h("b", {}, write(one.per_person.estimate)), h("small", {}, span(one.per_person, write))),
    );
  };
  return card(
    t("For whom it works"),
    h("p", { class: "lead" }, t("{n} segments were looked at, by what was known at the decision. Bands and p-values are corrected for that many looks (Holm), so that even one false line among all is a matter of 1 in 20.", { n: count(told_of.looks) }), " ", found ? t("In {n} of them the effect is beyond chance.", { n: count(found) }) : t("In none of them is the effect beyond chance: treat the order below as an idea, not as a finding.")),
    h("ul", { class: "forest" }, sorted.map(row), h("li", { class: "forest-row foot", "aria-hidden": "true" }, h("div", {}), scale(of, write), h("div", {}))),
  );
}
