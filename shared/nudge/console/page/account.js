// Who may see data: a bearer token, kept in this tab's session storage and sent in a header. Never in an address, never elsewhere.
//
// `console/session.json` says how one gets it: {} (paste one), {"login", "client_id", "scope"} (OAuth 2 code flow with PKCE), or, from
// `nudge serve` on one's own machine alone, {"token"}.

import { h, uid } from "./dom.js";
import { t } from "./words.js";

const TOKEN = "nudge.token", FLOW = "nudge.flow";
let session = {};

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const known = () => Boolean(sessionStorage.getItem(TOKEN));
export const forget = () => sessionStorage.removeItem(TOKEN);
export const keep = (token) => sessionStorage.setItem(TOKEN, token.trim().replace(/^Bearer\s+/i, ""));

// GET with the token. Throws Refused with the status, 0 where there was no answer.
export async function get(path, accept = "application/json") {
  let answer;
  try {
    answer = await fetch(new URL(path, document.baseURI), { headers: { Authorization: `Bearer ${sessionStorage.getItem(TOKEN)}`, Accept: accept }, credentials: "omit", cache: "no-store" });
  } catch {
    throw new Refused(0, "no answer");
  }
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    if (answer.status === 401 || answer.status === 403) dispatchEvent(new Event("signed-out"));
    throw new Refused(answer.status, said?.error?.message || said?.message || String(answer.status));
  }
  return accept === "application/json" ? answer.json() : answer.text();
}

// Before anything is shown: how one signs in here, and whether we come back from there.
export async function begin() {
  session = await fetch(new URL("console/session.json", document.baseURI), { credentials: "omit" }).then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({}));
  if (session.token) keep(session.token);
  const came = new URLSearchParams(location.search);
  if (!came.has("code") && !came.has("error")) return;
  const flow = JSON.parse(sessionStorage.getItem(FLOW) || "{}");
  sessionStorage.removeItem(FLOW);
  history.replaceState(null, "", location.pathname + (flow.hash || ""));
  if (session.login && came.get("code") && flow.state && came.get("state") === flow.state) await redeem(came.get("code"), flow.verifier);
}

const base64 = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const back = () => location.origin + location.pathname;

async function go() {
  const verifier = base64(crypto.getRandomValues(new Uint8Array(48))), state = base64(crypto.getRandomValues(new Uint8Array(18)));
  const challenge = base64(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
  sessionStorage.setItem(FLOW, JSON.stringify({ verifier, state, hash: location.hash }));
  const asked = { response_type: "code", client_id: session.client_id, redirect_uri: back(), scope: session.scope, state, code_challenge: challenge, code_challenge_method: "S256" };
  location.assign(`${session.login}/oauth2/authorize?${new URLSearchParams(asked)}`);
}

async function redeem(code, verifier) {
  const asked = { grant_type: "authorization_code", client_id: session.client_id, code, redirect_uri: back(), code_verifier: verifier };
  try {
    const answer = await fetch(`${session.login}/oauth2/token`, { method: "POST", body: new URLSearchParams(asked), credentials: "omit" });
    if (answer.ok) keep((await answer.json()).access_token);
  } catch {
    forget(); // the form says how to sign in
  }
}

export function form({ done, said }) {
  const field = uid("token"), hint = uid("hint");
  const input = h("input", { id: field, type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": hint });
  const enter = (event) => {
    event.preventDefault();
    if (!input.value.trim()) return;
    keep(input.value);
    done();
  };
  const paste = h(
    "form",
    { onsubmit: enter },
    h("label", { for: field }, t("Access token")),
    input,
    h("p", { id: hint, class: "small" }, t("A token with the scope of this API: of your identity provider, or of the stack's own (docs/console.md says how). It stays in this tab, and is gone when the tab is.")),
    h("button", { type: "submit" }, t("Sign in")),
  );
  const hosted = session.login ? [h("button", { type: "button", onclick: go }, t("Sign in with your account")), h("p", { class: "or" }, t("or with a token"))] : null;
  return h("div", { class: "card sign-in" }, h("h1", {}, t("Sign in")), said ? h("p", { class: "notice", role: "alert" }, said) : null, hosted, paste);
}
