// The events page: a link to an event that is not on it leads to the stretch of the log that it is in, and a page that
// is left open does not grow for ever.
const MOST = 200;
const LINK = /^#e(\d+)$/;
const events = document.getElementById("events");

function follow() {
  const link = LINK.exec(location.hash);
  if (!link || document.getElementById(`e${link[1]}`)) return;
  location.replace(`/events?before=${Number(link[1]) + 1}${location.hash}`);
}

if (events) {
  addEventListener("hashchange", follow);
  document.addEventListener("htmx:sse:after:message", () => {
    while (events.children.length > MOST) events.lastElementChild.remove();
  });
  if (!new URLSearchParams(location.search).has("before")) follow();
}
