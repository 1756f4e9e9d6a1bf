// One person: what is known of them, what was decided and why, what was sent, what they did. Asked for by id, never listed.

import { h, uid } from "./dom.js";
import { bar, bars, card, diverging, folded } from "./charts.js";
import { figure } from "./overview.js";
import { ago, channel, clock, count, day, label, money, moment, precise, reason, share, state, t } from "./words.js";

const GROUPS = { treatment: "treated", holdout: "held out, to compare with", global_holdout: "never contacted (global holdout)" };

export function people(context) {
  const id = context.rest[0] || "", field = uid("who");
  const input = h("input", { id: field, value: id, required: true, maxlength: 256, autocomplete: "off", spellcheck: "false", placeholder: "u00042" });
  const ask = (event) => {
    event.preventDefault();
    const wanted = input.value.trim();
    if (wanted) location.hash = `#/people/${encodeURIComponent(wanted)}`;
  };
  const form = h("form", { class: "ask", role: "search", onsubmit: ask }, h("label", { for: field }, t("Person (user id)")), h("div", {}, input, h("button", { type: "submit" }, t("Show"))));
  const shown = h("div", { "aria-live": "polite" }, id ? h("p", { class: "calm loading" }, t("Loading …")) : h("p", { class: "calm" }, t("Why did they get this? Give the user id of a person: you see what is known of them, each decision with its reasons, and what came of it.")));
  if (id) find(context, id, shown);
  return [h("div", { class: "card" }, form), shown];
}

async function find(context, id, shown) {
  try {
    const held = await context.get(`v1/people/${encodeURIComponent(id)}/timeline`);
    const story = h("ol", { class: "story" });
    shown.replaceChildren(...portrait(held, context), card(t("What happened"), story, ...more(context, id, held, story)));
  } catch (error) {
    const words = error.status === 404 ? t("Nobody is known by this id.") : error.status === 0 ? t("The API does not answer") : error.message;
    shown.replaceChildren(h("p", { class: "notice", role: "alert" }, words));
  }
}

// ── what is known ────────────────────────────────────────────────────────────────────────────────────────────────────────
function portrait(held, { report, now }) {
  const about = held.profile, worth = held.decisions.find((one) => one.person)?.person;
  const latest = (about?.activity || []).reduce((best, one) => (!best || one.last > best.last ? one : best), null);
  const facts = [
    figure(t("Decisions"), `${count(held.decisions.length)}${held.before ? "+" : ""}`, held.decisions.length ? t("the latest {when}", { when: ago(held.decisions[0].decided_at, now) }) : t("none yet")),
    latest ? figure(t("Last seen"), ago(latest.last, now), label(latest.event_type)) : null,
    worth ? figure(t("Expected spend"), money(worth.spend, report.currency), t("{share} likely to buy again", { share: share(worth.alive) })) : null,
  ];
  return [
    h("h2", { class: "who" }, h("bdi", {}, held.user_id)),
    h("dl", { class: "card figures flat" }, facts),
    about ? h("div", { class: "pillars" }, permissions(about), habits(about, report, now), traits(about)) : h("p", { class: "notice" }, t("There is no profile of this person: decisions were made from priors.")),
  ];
}

function permissions(about) {
  const names = [...new Set([...about.consents.map((one) => one.channel), ...about.suppressions.map((one) => one.channel)])];
  const row = (name) => {
    const given = about.consents.find((one) => one.channel === name), stopped = about.suppressions.find((one) => one.channel === name);
    const may = given?.granted && !stopped;
    const why = stopped ? `${reason(stopped.reason)}, ${day(stopped.at)}` : given ? `${given.granted ? t("agreed") : t("refused")}, ${day(given.at)} (${given.source})` : t("no consent");
    return h("div", {}, h("dt", {}, label(channel(name)), h("small", {}, why)), h("dd", {}, h("span", { class: `tone ${may ? "gain" : "loss"}` }, may ? t("may be written to") : t("may not be written to"))));
  };
  return card(t("Consent"), names.length ? h("dl", { class: "pieces" }, names.map(row)) : h("p", { class: "calm" }, t("No consent is known: unknown counts as none.")));
}

function habits(about, report, now) {
  if (!about.activity.length) return null;
  return card(t("What they do"), bars(about.activity.map((one) => ({ name: h("span", {}, label(one.event_type), h("small", {}, t("last {when}", { when: ago(one.last, now) }))), said: one.worth ? `${count(one.total)} · ${money(one.worth, report.currency)}` : count(one.total), value: one.total }))));
}

function traits(about) {
  if (!about.traits.length) return null;
  const value = (one) => (one.masked ? h("i", { class: "masked" }, t("not shown")) : typeof one.value === "boolean" ? (one.value ? t("yes") : t("no")) : /_at$/.test(one.name) && one.value > 1e14 ? day(one.value / 1000) : String(one.value ?? "–"));
  return card(t("What we were told"), h("dl", { class: "pieces" }, about.traits.map((one) => h("div", {}, h("dt", {}, label(one.name)), h("dd", {}, value(one))))), h("p", { class: "small" }, t("Addresses and names are not shown here.")));
}

// ── what happened ────────────────────────────────────────────────────────────────────────────────────────────────────────
function more(context, id, first, story) {
  const entries = first.decisions.map((one) => ({ at: one.decided_at, one }));
  let before = first.before;
  const note = h("p", { class: "small", role: "status" }, t("Loading what they did …"));
  const draw = () => {
    const sorted = entries.toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
    const floor = before ? entries.filter((one) => one.one.decision_id && !one.one.event_type).map((one) => one.at).sort()[0] : "";
    story.replaceChildren(...grouped(sorted.filter((one) => one.at >= floor), context).flat());
    if (!entries.length) story.replaceChildren(h("li", { class: "calm" }, t("none yet")));
  };
  const older = h("button", { type: "button", class: "plain-button", onclick: async () => {
    const next = await context.get(`v1/people/${encodeURIComponent(id)}/timeline?before=${encodeURIComponent(before)}`).catch(() => null);
    if (!next) return;
    entries.push(...next.decisions.map((one) => ({ at: one.decided_at, one })));
    before = next.before;
    older.hidden = !before;
    draw();
  } }, t("Show earlier decisions"));
  older.hidden = !before;
  draw();
  context.get(`v1/people/${encodeURIComponent(id)}/events`).then(
    (did) => {
      entries.push(...did.events.map((one) => ({ at: one.event_time, one })));
      note.textContent = t("What they did is shown from {day} on, as far as the lake has it.", { day: day(did.since) });
      draw();
    },
    () => { note.textContent = t("What they did cannot be shown now."); },
  );
  return [older, note];
}

function grouped(entries, context) {
  const days = Map.groupBy ? Map.groupBy(entries, (one) => one.at.slice(0, 10)) : entries.reduce((all, one) => all.set(one.at.slice(0, 10), [...(all.get(one.at.slice(0, 10)) || []), one]), new Map());
  const quiet = (list) => list.every(({ one }) => !one.event_type && one.chosen === "nothing" && one.group === "treatment");
  const shown = [];
  for (const [date, list] of days) {
    const last = shown.at(-1);
    if (quiet(list) && last?.quiet) last.days.push([date, list]);
    else shown.push({ quiet: quiet(list), days: [[date, list]] });
  }
  const one_day = ([date, list]) => h("li", {}, h("h3", {}, day(date)), h("ol", {}, runs(list).map(({ one, times }) => (one.event_type ? did(one, times, context) : decided(one, context)))));
  return shown.map((part) => (part.quiet && part.days.length > 2 ? calm(part.days, one_day) : part.days.map(one_day)));
}

// The same event of the same item several times in a row is told once, with how often.
function runs(list) {
  const told = [];
  for (const { one } of list) {
    const last = told.at(-1);
    const same = one.event_type && last?.one.event_type === one.event_type && ["item_id", "decision_id", "value"].every((name) => last.one[name] === one[name]);
    if (same) last.times += 1;
    else told.push({ one, times: 1 });
  }
  return told;
}

// Days on which nothing was the best: many of them in a row are one line.
function calm(days, one_day) {
  const n = days.reduce((sum, [, list]) => sum + list.length, 0);
  return h("li", { class: "calm-days" }, folded(t("{n} times nothing was best, {first} to {last}", { n, first: day(days.at(-1)[0]), last: day(days[0][0]) }), h("ol", { class: "story" }, days.map(one_day))));
}

function did(one, times, { report }) {
  const parts = [one.item_id, one.category && label(one.category), one.value ? money(one.value, one.currency || report.currency) : null, one.channel && channel(one.channel)].filter(Boolean);
  return h("li", { class: `entry did ${one.decision_id ? "outcome" : ""}` }, h("p", {}, h("time", { datetime: one.event_time }, clock(one.event_time)), h("b", {}, label(one.event_type)), times > 1 ? h("span", { class: "chip" }, `× ${count(times)}`) : null, parts.length ? h("span", { class: "small" }, parts.join(" · ")) : null));
}

const TONES = { sent: "gain", skipped: "open", failed: "loss", unknown: "warn" };

function decided(one, context) {
  const held = one.group !== "treatment", nothing = one.activity === "nothing";
  const title = nothing ? (held && one.chosen !== "nothing" ? t("Nothing, instead of {name}", { name: label(one.chosen) }) : t("Nothing")) : label(one.activity);
  const sent = one.message;
  return h(
    "li",
    { class: `entry decision ${nothing ? "quiet" : ""}` },
    h("p", {}, h("time", { datetime: one.decided_at }, clock(one.decided_at)), h("b", {}, title), one.channel ? h("span", { class: "chip" }, channel(one.channel)) : null, held ? h("span", { class: "chip held" }, t(GROUPS[one.group])) : null,
      sent ? h("span", { class: `chip ${TONES[sent.state] || "open"}` }, state(sent.state), sent.reason ? `: ${reason(sent.reason)}` : "") : null),
    h("p", { class: "small" }, `${t("Towards {goal}", { goal: label(one.goal) })}${one.campaign ? ` · ${t("campaign {name}", { name: label(one.campaign) })}` : ""}`, sent && sent.state === "sent" ? ` · ${t("sent {when}", { when: moment(sent.changed_at) })}` : sent && sent.due_at > one.decided_at ? ` · ${t("due {when}", { when: moment(sent.due_at) })}` : ""),
    folded(t("Why?"), why(one, context)),
  );
}

function why(one, context) {
  const write = (value) => money(value, context.report.currency);
  const open = one.candidates.filter((each) => !each.removed), out = one.candidates.filter((each) => each.removed);
  const most = Math.max(0, ...open.map((each) => each.value || 0));
  const means = Object.assign({}, ...context.report.models.map((each) => each.card?.definitions || {}));
  const line = (each) => h(
    "li",
    { class: each.activity === one.chosen ? "chosen" : null },
    h("span", {}, each.activity === "nothing" ? t("Nothing") : label(each.activity), each.activity === one.chosen ? h("small", {}, t("chosen")) : null),
    h("b", {}, write(each.value), h("small", {}, t("{share} likely, drawn {drawn} of the time", { share: share(each.probability), drawn: share(each.propensity) }))),
    bar(Math.max(0, each.value || 0), most, each.activity === one.chosen ? "us" : "held"),
  );
  return h(
    "div",
    { class: "why" },
    h("p", {}, one.reason),
    h("h4", {}, t("What could be done, and what it is worth")),
    h("ul", { class: "bars" }, open.map(line)),
    out.length ? [h("h4", {}, t("What could not be done")), h("ul", { class: "out" }, out.map((each) => h("li", {}, h("b", {}, label(each.activity)), " ", reason(each.removed))))] : null,
    one.contributions ? pushed(one.contributions, means) : null,
    one.items.length ? [h("h4", {}, t("Items")), h("p", {}, one.items.map((each) => each.title || each.item_id).join(", "))] : null,
    h("dl", { class: "pieces" }, fact(t("Decision"), h("code", {}, one.decision_id)), fact(t("Model"), one.model_version || t("rules of the plan")), fact(t("Policy"), one.policy), fact(t("Plan"), one.plan_version), fact(t("Propensity"), share(one.propensity))),
  );
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function pushed({ base, reasons, others }, means) {
  const rows = [...reasons, { feature: t("all others"), effect: others }], most = Math.max(...rows.map((one) => Math.abs(one.effect)), 1e-9);
  const signed = (value) => `${value < 0 ? "−" : "+"}${precise(Math.abs(value))}`;
  return [
    h("h4", {}, t("What made it more or less likely")),
    h("ul", { class: "bars" }, rows.map((one) => h("li", {}, h("span", {}, one.feature, means[one.feature] ? h("small", {}, means[one.feature]) : null), h("b", {}, signed(one.effect)), diverging(one.effect, most, `${one.feature}: ${signed(one.effect)}`)))),
    h("p", { class: "small" }, t("In log-odds before calibration; {base} for anybody.", { base: signed(base) })),
  ];
}
