// Words and numbers in the reader's language. English is the key; other languages are tables of English → theirs, the same
// table that the report's page is written from.

export const LANGUAGES = { en: { tag: "en", name: "English" }, zh: { tag: "zh-Hans", name: "中文" } };
const NUMBER = /\d[\d,.]*\d|\d/g;
let spoken = "en";
let table = {};

export function speak(language, words) {
  spoken = language;
  table = words;
  document.documentElement.lang = LANGUAGES[language].tag;
}

export const language = () => spoken;

export function t(text, values) {
  const said = Object.hasOwn(table, text) ? table[text] : text;
  return values ? said.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all)) : said;
}

// A sentence that comes with the figures (a note, a reason), its numbers put back where they belong.
export function told(text) {
  if (!text) return "";
  const numbers = text.match(NUMBER) || [];
  const pattern = text.replace(NUMBER, "{}");
  if (!Object.hasOwn(table, pattern)) return t(text);
  let next = 0;
  return table[pattern].replace(/\{(\d*)\}/g, (_, at) => numbers[at === "" ? next++ : +at]);
}

const locale = () => (spoken === "zh" ? "zh-CN" : "en-GB");
const UNKNOWN = "not known yet";
const minus = (said) => said.replace(/^-/, "−");

export function money(value, currency, signed = false) {
  if (value === null || value === undefined) return t(UNKNOWN);
  const size = Math.abs(value);
  const digits = size >= 99.995 || size === 0 || size === 1 ? 0 : 2;
  const small = size > 0 && size < 0.01;
  const style = { style: "currency", currency, currencyDisplay: "narrowSymbol", signDisplay: signed ? "exceptZero" : "auto" };
  const detail = small ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: digits, maximumFractionDigits: digits };
  try {
    return minus(new Intl.NumberFormat(locale(), { ...style, ...detail }).format(value));
  } catch {
    return `${count(value, signed)} ${currency}`; // a currency that ISO 4217 does not know
  }
}

export function count(value, signed = false) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : 1;
  const how = { maximumFractionDigits: digits, signDisplay: signed ? "exceptZero" : "auto" };
  return minus(new Intl.NumberFormat(locale(), how).format(value));
}

export function share(value) {
  if (value === null || value === undefined) return t(UNKNOWN);
  const size = Math.abs(value) * 100;
  const digits = size >= 99.95 || size === 0 ? 0 : size >= 0.1 ? 1 : 3;
  return `${minus(new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value * 100))}\u00a0%`;
}

export function ratio(value) {
  if (value === null || value === undefined) return t(UNKNOWN);
  const digits = Math.abs(value) >= 100 ? 0 : 2;
  return minus(new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value));
}

export const precise = (value) => minus(new Intl.NumberFormat(locale(), { maximumSignificantDigits: 3 }).format(value));
export const probability = (value) => (value === null || value === undefined ? "–" : value < 0.001 ? "< 0.001" : value.toFixed(3));

const dated = (moment, how) => {
  const at = new Date(moment);
  return Number.isNaN(at.getTime()) ? String(moment ?? "–") : new Intl.DateTimeFormat(locale(), { timeZone: "UTC", ...how }).format(at);
};
export const day = (moment) => (moment ? dated(moment, { day: "numeric", month: "long", year: "numeric" }) : "–");
export const shortDay = (moment) => (moment ? dated(moment, { day: "numeric", month: "short" }) : "–");
export const clock = (moment) => dated(moment, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const moment = (at) => (at ? `${day(at)}${spoken === "zh" ? " " : ", "}${clock(at)} UTC` : "–");

// How long ago, in the coarsest unit that says enough.
export function ago(at, now) {
  const minutes = Math.max(0, Math.round((now - new Date(at).getTime()) / 60000));
  const [value, unit] = minutes < 90 ? [minutes, "minute"] : minutes < 2880 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-value, unit);
}

// A name from the plan as a title: discount_mail → Discount mail.
export function label(name) {
  const plain = String(name ?? "").replaceAll("_", " ").trim();
  return plain ? plain[0].toUpperCase() + plain.slice(1) : "–";
}

// The name of a model as a title: demand.purchase.value.all.day → Demand · purchase · value · all · day.
export const model = (name) => label(String(name).replaceAll(".", " · "));

const CHANNELS = { email: "e-mail", sms: "SMS", inline: "on the page", push: "push", webhook: "webhook", event: "event" };
export const channel = (name) => (name in CHANNELS ? t(CHANNELS[name]) : label(name));

const METRICS = { auc: "AUC", average_precision: "Average precision", ece: "ECE", brier: "Brier score", lift_at_10: "Lift at 10 %", log_loss: "Log loss" };
const SHORT = /\b(auc|mae|ndcg|smape|mase|ece)\b/gi;
export const metric = (name) => t(METRICS[name] || label(name).replace(SHORT, (word) => word.toUpperCase()));

// Why somebody was not reached, by the codes of decisions and messages.
const REASONS = {
  not_chosen: "another activity was chosen",
  holdout: "held out, to compare with",
  global_holdout: "never contacted (global holdout)",
  no_consent: "no consent",
  no_address: "no address",
  suppressed: "unsubscribed, bounced or complained",
  audience: "not in the audience",
  cap_day: "contacted enough that day",
  cap_week: "contacted enough that week",
  budget: "budget spent",
  run_budget: "budget of the run spent",
  campaign_budget: "budget of the campaign spent",
  capacity: "the run had sent all it may",
  ended: "the activity has ended",
  not_started: "the activity has not started",
  transactional: "sent only when asked for",
  no_items: "nothing to recommend",
  no_template: "its template is missing",
  missing_variable: "a word of its template is not known of the person",
  waiting: "on its way",
  expired: "too late to be sent",
  unknown: "nobody knows whether it was sent",
  bounce: "bounced",
  complaint: "complained",
  unsubscribe: "unsubscribed",
};
export const reason = (code) => (code in REASONS ? t(REASONS[code]) : label(code));

export const STATES = { sent: "sent", skipped: "skipped", failed: "failed", unknown: "with an unknown end", not_final: "not final yet", pending: "on its way", held: "held until later", sending: "being sent", shown: "shown" };
export const state = (name) => t(STATES[name] || label(name));

// The interval that is to be read now: the one that may be read every day, or the fixed one when all is over.
export function daily(one, reading) {
  if (!one) return { estimate: null, low: null, high: null };
  if (!one.sequence || (reading || {}).interval === "fixed") return one;
  return { ...one, low: one.sequence.low, high: one.sequence.high };
}

export function verdict(one) {
  if (one.low === null || one.high === null || one.low === undefined) return { tone: "open", words: t("Cannot be judged yet") };
  if (one.low > 0) return { tone: "gain", words: t("A gain beyond chance") };
  if (one.high < 0) return { tone: "loss", words: t("A loss beyond chance") };
  return { tone: "open", words: t("Not distinguishable from no effect") };
}

export function span(one, write) {
  if (one.low === null || one.high === null || one.low === undefined) return told(one.note) || t(UNKNOWN);
  return t("{low} to {high}", { low: whole(write(one.low)), high: whole(write(one.high)) });
}

// A signed amount that no line break parts.
export const whole = (said) => (/^[−+]/.test(said) ? `${said[0]}\u2060${said.slice(1)}` : said);
