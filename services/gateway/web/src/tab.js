// The tab shows how things stand: a part of the page carries `data-tab-title` and `data-favicon`, and live updates of
// that part change them.
const CARRIER = "[data-tab-title]";

function show() {
  const carrier = document.querySelector(CARRIER);
  if (!carrier) return;
  document.title = `${carrier.dataset.tabTitle} · Windlass`;
  const icon = document.getElementById("favicon");
  if (carrier.dataset.favicon && icon.getAttribute("href") !== carrier.dataset.favicon) icon.href = carrier.dataset.favicon;
}

const watched = { subtree: true, attributes: true, attributeFilter: ["data-tab-title", "data-favicon"] };
new MutationObserver(show).observe(document.body, watched);
