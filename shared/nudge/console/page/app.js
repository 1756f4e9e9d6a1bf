// The console: who may see it, what they look at, in which language and light. It holds no data of its own: everything shown
// comes from the API with the reader's token, which lives in this tab's session storage and goes nowhere but into a header.

import { h, s } from "./dom.js";
import { LANGUAGES, ago, language, moment, speak, t } from "./words.js";
import * as account from "./account.js";
import { overview } from "./overview.js";
import { campaigns } from "./campaigns.js";
import { people } from "./people.js";
import { models } from "./models.js";
import { data } from "./data.js";

const ICONS = {
  overview: "M3 13h5v8H3zM10 3h5v18h-5zM17 9h5v12h-5z",
  campaigns: "M3 10v5l3 .5V20h3v-4l10 3V5L7 9H4a1 1 0 0 0-1 1zM21 9v6",
  people: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3.6-6.5 8-6.5s8 2.500 8 6.500",
  models: "M4 19c3 0 4-12 8-12s4 8 8 8M4 3v18h17",
  data: "M4 6c0-2 16-2 16 0v12c0 2-16 2-16 0zM4 6c0 2 16 2 16 0M4 12c0 2 16 2 16 0",
};
const VIEWS = {
  overview: { name: "Overview", show: overview },
  campaigns: { name: "Campaigns", show: campaigns },
  people: { name: "Person", show: people },
  models: { name: "Models", show: models },
  data: { name: "Data", show: data },
};
const THEMES = { auto: "System", light: "Light", dark: "Dark" };

const root = document.getElementById("console");
const here = new URL(".", import.meta.url);
const kept = { get: (name) => localStorage.getItem(`nudge.${name}`), set: (name, value) => localStorage.setItem(`nudge.${name}`, value) };
const state = { report: null, trouble: null };

function place() {
  const [view, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map((one) => {
    try {
      return decodeURIComponent(one);
    } catch {
      return one;
    }
  });
  return { view: view in VIEWS ? view : "overview", rest: rest.filter(Boolean) };
}

const icon = (path) => s("svg", { viewBox: "0 0 24 24", width: 22, height: 22, "aria-hidden": "true", class: "icon" }, s("path", { d: path }));

function light(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

async function tongue(name) {
  const words = name === "en" ? {} : await (await fetch(new URL(`words.${name}.json`, here))).json();
  speak(name, words);
}

async function choose(name) {
  kept.set("language", name);
  await tongue(name);
  draw();
}

// ── the frame ────────────────────────────────────────────────────────────────────────────────────────────────────────────
function chooser(title, options, chosen, pick) {
  return h(
    "label",
    { class: "chooser" },
    h("span", { class: "unseen" }, title),
    h("select", { onchange: (event) => pick(event.target.value) }, Object.entries(options).map(([name, said]) => h("option", { value: name, selected: name === chosen, lang: LANGUAGES[name]?.tag }, said))),
  );
}

function controls() {
  return h(
    "div",
    { class: "controls" },
    chooser(t("Language"), Object.fromEntries(Object.entries(LANGUAGES).map(([name, one]) => [name, one.name])), language(), choose),
    chooser(t("Colours"), Object.fromEntries(Object.entries(THEMES).map(([name, said]) => [name, t(said)])), kept.get("theme") || "auto", (theme) => {
      kept.set("theme", theme);
      light(theme);
    }),
    account.known() ? h("button", { type: "button", class: "plain-button", onclick: leave }, t("Sign out")) : null,
  );
}

function navigation(view) {
  const links = Object.entries(VIEWS).map(([name, one]) =>
    h("a", { href: `#/${name}`, "aria-current": name === view ? "page" : null }, icon(ICONS[name]), h("span", {}, t(one.name))),
  );
  return h("nav", { "aria-label": t("Views"), class: "views" }, links);
}

function mark() {
  return h("p", { class: "mark" }, h("img", { src: new URL("mark.svg", here).href, alt: "", width: 28, height: 28 }), h("span", {}, "Nudge"));
}

function frame(view, content) {
  return [
    h("a", { class: "skip", href: "#main", onclick: (event) => (event.preventDefault(), document.getElementById("main").focus()) }, t("Skip to the content")),
    h("header", { class: "side" }, mark(), navigation(view), controls()),
    h("main", { id: "main", tabindex: -1 }, content),
  ];
}

// ── what is shown ────────────────────────────────────────────────────────────────────────────────────────────────────────
function draw() {
  const { view, rest } = place();
  if (!account.known()) return enter();
  document.title = `${t(VIEWS[view].name)} · Nudge`;
  root.replaceChildren(...frame(view, content(view, rest)));
}

function content(view, rest) {
  if (state.trouble) return trouble(state.trouble);
  if (!state.report) return h("p", { class: "calm loading", role: "status" }, t("Loading …"));
  const context = { report: state.report, rest, now: Date.now(), get: account.get };
  const made = h("p", { class: "made" }, h("span", { title: moment(state.report.generated_at) }, t("Report made {when}", { when: ago(state.report.generated_at, context.now) })), view === "people" ? null : downloads());
  return [h("div", { class: "top" }, h("h1", {}, t(VIEWS[view].name)), made), VIEWS[view].show(context)];
}

function downloads() {
  const save = (kind, name) => async () => {
    const body = await account.get(`v1/reports/latest?lang=${language()}`, kind).catch(failed);
    if (!body) return;
    const link = h("a", { href: URL.createObjectURL(new Blob([body], { type: kind })), download: name });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return h(
    "span",
    { class: "downloads" },
    h("button", { type: "button", class: "plain-button", onclick: save("text/html", "nudge-report.html") }, t("Download report")),
    h("button", { type: "button", class: "plain-button", onclick: save("text/csv", "nudge-report.csv") }, "CSV"),
  );
}

function trouble(error) {
  const words = {
    404: [t("There is no report yet"), t("It is made every day on schedule, or by invoking the function report. Then press the button.")],
    0: [t("The API does not answer"), t("Look at your connection, and try again.")],
  }[error.status] || [t("Something went wrong"), error.message];
  return h("div", { class: "card trouble", role: "alert" }, h("h1", {}, words[0]), h("p", {}, words[1]), h("button", { type: "button", onclick: load }, t("Try again")));
}

function failed(error) {
  if (error.status === 401 || error.status === 403) return leave(t("The token is not valid, or no longer. Sign in again."));
  state.trouble = error;
  draw();
}

async function load() {
  state.trouble = null;
  draw();
  try {
    state.report = await account.get("v1/reports/latest");
    draw();
  } catch (error) {
    failed(error);
  }
}

// ── coming and going ─────────────────────────────────────────────────────────────────────────────────────────────────────
function enter(said) {
  document.title = `${t("Sign in")} · Nudge`;
  const form = account.form({ done: load, said: typeof said === "string" ? said : "" });
  root.replaceChildren(h("main", { class: "door", id: "main" }, mark(), form, controls()));
}

function leave(said) {
  account.forget();
  state.report = null;
  enter(said);
}

function moved() {
  draw();
  scrollTo(0, 0);
  document.querySelector("#main h1, #main")?.closest("main")?.focus({ preventScroll: true });
}

async function begin() {
  light(kept.get("theme") || "auto");
  const wanted = kept.get("language") || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
  await tongue(wanted in LANGUAGES ? wanted : "en");
  addEventListener("hashchange", moved);
  addEventListener("signed-out", () => leave(t("The token is not valid, or no longer. Sign in again.")));
  await account.begin();
  if (account.known()) await load();
  else enter();
}

begin();
