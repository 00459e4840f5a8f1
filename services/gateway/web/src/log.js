// The log of a deployment: follows new lines while its end is on the screen, leads to lines by their numbers, searches
// all of them on the server, and loads earlier and later ones as they come near.
const AT_END_PX = 32;
const NEAR_PX = "600px";
const SEARCH_AFTER_MS = 250;
const LINK = /^#L(\d+)(?:-L(\d+))?$/;

function start(panel) {
  const over = new AbortController();
  const { signal } = over;
  const log = document.getElementById("log");
  const lines = document.getElementById("log-lines");
  const newer = document.getElementById("log-new");
  const found = document.getElementById("log-found");
  const search = document.getElementById("log-search");
  const { source, log: base } = panel.dataset;
  let following = true;
  let last = Number(panel.dataset.last);
  let seen = last;
  let matches = [];
  let current = -1;
  let loading = Promise.resolve();

  function address(query, what = "") {
    return `${base}${what}?${new URLSearchParams({ source, ...query })}`;
  }

  // The end of the log is on the page, unless later lines are still to be loaded.
  function holdsEnd() {
    return !lines.querySelector('[data-log-edge="newer"]');
  }

  function toEnd() {
    log.scrollTop = log.scrollHeight;
  }

  function showNew() {
    if (following) seen = last;
    const count = last - seen;
    newer.hidden = following || (count <= 0 && holdsEnd());
    newer.textContent = count > 0 ? `${count} new ${count === 1 ? "line" : "lines"}` : "To the end";
  }

  // --- what is on the page -------------------------------------------------------------------------------------

  function load(query) {
    loading = window.htmx.ajax("GET", address(query), { target: lines, swap: "innerHTML" }).then(() => {
      const shown = lines.querySelector("ol:last-of-type > li:last-child");
      if (holdsEnd() && shown) last = Math.max(last, Number(shown.id.slice(1)));
      watchEdges();
      mark();
      highlight();
    });
    return loading;
  }

  async function jumpToEnd() {
    following = true;
    if (!holdsEnd()) await load({});
    toEnd();
    showNew();
  }

  // Moves the log alone, and not the page around it.
  function center(line) {
    if (!line) return;
    const by = line.getBoundingClientRect().top - log.getBoundingClientRect().top - log.clientHeight / 3;
    log.scrollTop += by;
  }

  async function goTo(number) {
    following = false;
    if (!document.getElementById(`L${number}`)) await load({ around: number });
    center(document.getElementById(`L${number}`));
    showNew();
  }

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) extend(entry.target);
  }, { root: log, rootMargin: NEAR_PX });

  function watchEdges() {
    for (const edge of lines.querySelectorAll("[data-log-edge]")) near.observe(edge);
  }

  // Earlier lines push down what is on the screen; it is put back where it was.
  async function extend(edge) {
    near.unobserve(edge);
    const older = edge.dataset.logEdge === "older";
    const before = log.scrollHeight - log.scrollTop;
    await window.htmx.ajax("GET", edge.getAttribute("hx-get"), { target: edge, swap: "outerHTML" });
    if (older) log.scrollTop = log.scrollHeight - before;
    watchEdges();
    mark();
    highlight();
  }

  // --- links to lines ------------------------------------------------------------------------------------------

  // Without a link, a failed deployment opens on the lines that say why.
  function linked() {
    const link = LINK.exec(location.hash || (panel.dataset.shows ?? ""));
    if (!link) return null;
    const ends = [Number(link[1]), Number(link[2] ?? link[1])].sort((a, b) => a - b);
    return { first: ends[0], last: ends[1] };
  }

  function mark() {
    const range = linked();
    for (const line of lines.querySelectorAll("li.marked")) line.classList.remove("marked");
    if (!range) return;
    for (const line of lines.querySelectorAll("li")) {
      const number = Number(line.id.slice(1));
      if (number >= range.first && number <= range.last) line.classList.add("marked");
    }
  }

  async function follow() {
    const range = linked();
    if (!range) return;
    await goTo(range.first);
    if (location.hash) log.scrollIntoView({ block: "nearest" });
    mark();
  }

  function link(event) {
    const anchor = event.target.closest("a[href^='#L']");
    if (!anchor) return;
    event.preventDefault();
    const number = Number(anchor.hash.slice(2));
    const range = event.shiftKey ? linked() : null;
    const from = range ? Math.min(range.first, number) : number;
    const to = range ? Math.max(range.first, number) : number;
    const hash = from === to ? `#L${from}` : `#L${from}-L${to}`;
    history.replaceState(null, "", `${location.pathname}?source=${encodeURIComponent(source)}${hash}`);
    following = false;
    mark();
    showNew();
  }

  // --- search --------------------------------------------------------------------------------------------------

  async function ask(query, what) {
    const answer = await fetch(address(query, what), { headers: { Accept: "application/json" } });
    return answer.ok ? answer.json() : { count: 0, lines: [] };
  }

  async function find() {
    const text = search.value;
    const asked = text ? await ask({ q: text }, "/search") : { count: 0, lines: [] };
    if (text !== search.value) return;
    matches = asked.lines;
    current = -1;
    found.textContent = text ? `${asked.count.toLocaleString("en")} ${asked.count === 1 ? "line" : "lines"}` : "";
    highlight();
  }

  async function step(by) {
    if (!matches.length) return;
    current = current < 0 ? (by > 0 ? 0 : matches.length - 1) : (current + by + matches.length) % matches.length;
    found.textContent = `${(current + 1).toLocaleString("en")} of ${matches.length.toLocaleString("en")}`;
    await goTo(matches[current]);
    highlight();
  }

  // What was found is shown by the browser's own highlights: no line is changed for it.
  function highlight() {
    if (!CSS.highlights) return;
    const text = search.value.toLowerCase();
    const ranges = [];
    for (const number of text ? matches : []) {
      const line = document.getElementById(`L${number}`);
      if (line) ranges.push(...occurrences(line, text));
    }
    CSS.highlights.set("log-match", new Highlight(...ranges));
  }

  function occurrences(line, text) {
    const parts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    const ranges = [];
    while (parts.nextNode()) {
      const node = parts.currentNode;
      if (node.parentElement.matches("li > a")) continue;
      const content = node.data.toLowerCase();
      for (let at = content.indexOf(text); at >= 0; at = content.indexOf(text, at + text.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, Math.min(at + text.length, node.length));
        ranges.push(range);
      }
    }
    return ranges;
  }

  // --- what happens --------------------------------------------------------------------------------------------

  const stream = document.getElementById("log-live");
  // A stretch of the log that is being loaded holds new lines back; what it brought along is not shown twice.
  stream?.addEventListener("htmx:sse:before:message", (event) => {
    const { message, waitUntil } = event.detail;
    if (message.event) return;
    waitUntil(loading.then(() => {
      const number = Number(message.id);
      if (number <= last || !holdsEnd()) event.detail.cancelled = true;
      last = Math.max(last, number);
      showNew();
    }));
  });
  stream?.addEventListener("htmx:sse:after:message", (event) => {
    if (event.detail.message.event) return;
    if (following) toEnd();
    showNew();
  });
  log.addEventListener("scroll", () => {
    following = holdsEnd() && log.scrollHeight - log.scrollTop - log.clientHeight < AT_END_PX;
    showNew();
  }, { passive: true });
  newer.addEventListener("click", jumpToEnd);
  lines.addEventListener("click", link);
  addEventListener("hashchange", follow, { signal });

  let typing = null;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(find, SEARCH_AFTER_MS);
  });
  search.addEventListener("keydown", async (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(typing);
    if (current < 0) await find();
    await step(event.shiftKey ? -1 : 1);
  });
  panel.addEventListener("click", async (event) => {
    const mover = event.target.closest("[data-log-find]");
    if (mover) await step(Number(mover.dataset.logFind));
    if (event.target.closest("[data-log-error]")) {
      const { lines: [first] } = await ask({}, "/first-error");
      if (first === undefined) {
        found.textContent = "No line speaks of an error";
      } else {
        history.replaceState(null, "", `${location.pathname}?source=${encodeURIComponent(source)}#L${first}`);
        await follow();
      }
    }
  });

  // Live frames know the tabs, and not which one this page shows.
  document.addEventListener("htmx:sse:after:message", () => {
    for (const tab of document.querySelectorAll("#log-tabs a")) {
      if (tab.dataset.source === source) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
    const { opens } = document.getElementById("log-tabs").dataset;
    if (opens !== source && isUnattended()) goOnWith(opens);
  }, { signal });

  // Who chose a source, a line or a word stays with it; who just watches is led from the build to the app.
  function isUnattended() {
    return following && !search.value && !location.hash && !new URLSearchParams(location.search).has("source");
  }

  async function goOnWith(opens) {
    over.abort();
    near.disconnect();
    const page = `${location.pathname}?${new URLSearchParams({ source: opens })}`;
    await window.htmx.ajax("GET", page, { target: panel, select: "#log-panel", swap: "outerHTML" });
    begin();
  }

  watchEdges();
  toEnd();
  follow();
}

function begin() {
  const panel = document.getElementById("log-panel");
  if (panel) start(panel);
}

begin();
