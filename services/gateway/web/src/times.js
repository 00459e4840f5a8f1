// Keeps "3 minutes ago" true: the server writes it into <time data-age>, this renews it; `data-until` is "in 3 min" in the
// same way. `data-since` counts up, live.
const STEPS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86_400, 3600, "h"],
  [30 * 86_400, 86_400, "d"],
];
const AGES_EVERY_MS = 15_000;
const COUNTERS_EVERY_MS = 1000;

function seconds(element) {
  return Math.max(0, Math.floor((Date.now() - Date.parse(element.dateTime)) / 1000));
}

// The same words as `age` in words.py.
function age(element) {
  const passed = seconds(element);
  if (passed < 5) return "just now";
  const step = STEPS.find(([below]) => passed < below);
  return step ? `${Math.floor(passed / step[1])} ${step[2]} ago` : element.dateTime.slice(0, 10);
}

// The same words as `until` in words.py.
function until(element) {
  const left = Math.floor((Date.parse(element.dateTime) - Date.now()) / 1000);
  if (left < 5) return "now";
  const step = STEPS.find(([below]) => left < below) ?? STEPS.at(-1);
  return `in ${Math.floor(left / step[1])} ${step[2]}`;
}

function duration(passed) {
  if (passed < 60) return `${passed} s`;
  const minutes = Math.floor(passed / 60);
  return minutes < 60 ? `${minutes} min ${passed % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function renew(selector, text) {
  for (const element of document.querySelectorAll(selector)) {
    const now = text(element);
    if (element.textContent !== now) element.textContent = now;
  }
}

function ages() {
  renew("time[data-age]", age);
  renew("time[data-until]", until);
}

setInterval(ages, AGES_EVERY_MS);
setInterval(() => renew("time[data-since]", (element) => duration(seconds(element))), COUNTERS_EVERY_MS);
document.addEventListener("visibilitychange", ages);
