// Keeps an eye on the page's streams: says whether the page is live, notices silence, loads anew what cannot go on.
// The server pings every 15 s; htmx comes back by itself, behind the last id that it received.
const SILENCE_MS = 40_000;
const STALE_MS = 20_000;
const RELOAD_GUARD_MS = 10_000;
const RELOADED = "windlass.reloaded";
const WORDS = { live: "Live", reconnecting: "Reconnecting", stale: "Stale" };

const badge = document.getElementById("connection");
const watchdogs = new WeakMap();
let giveUp = null;

function isStream(element) {
  return element.hasAttribute?.("hx-sse:connect");
}

function show(state) {
  clearTimeout(giveUp);
  if (!badge || badge.dataset.state === state) return;
  badge.hidden = false;
  badge.dataset.state = state;
  badge.dataset.tone = { live: "good", reconnecting: "running", stale: "bad" }[state];
  badge.textContent = WORDS[state];
  badge.title = state === "live" ? "This page shows what happens, as it happens" : "This page may be behind";
}

function reconnecting() {
  if (badge?.dataset.state === "stale") return;
  show("reconnecting");
  giveUp = setTimeout(() => show("stale"), STALE_MS);
}

function heard(element, connection) {
  clearTimeout(watchdogs.get(element));
  watchdogs.set(element, setTimeout(() => {
    if (document.hidden || !element.isConnected) return;
    reconnecting();
    connection.reader?.cancel();
  }, SILENCE_MS));
}

// A page that was just loaded anew and is refused again would go on loading itself for ever.
function reload() {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last < RELOAD_GUARD_MS) {
    show("stale");
    return;
  }
  sessionStorage.setItem(RELOADED, String(Date.now()));
  location.reload();
}

function signIn() {
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

document.addEventListener("htmx:sse:after:connection", (event) => {
  show("live");
  heard(event.target, event.detail.connection);
});
document.addEventListener("htmx:sse:before:connection", (event) => {
  if (event.detail.connection.attempt > 0 && !document.hidden) reconnecting();
});
document.addEventListener("htmx:sse:before:message", (event) => {
  show("live");
  heard(event.target, event.detail.connection);
});
document.addEventListener("htmx:sse:error", (event) => {
  if (event.detail.status === 401) signIn();
  else reconnecting();
});
document.addEventListener("htmx:error", (event) => {
  if (isStream(event.target)) show("stale");
});
document.addEventListener("reset", (event) => {
  if (isStream(event.target)) reload();
});
