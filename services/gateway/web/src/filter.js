// `data-filter-list="id"` on a search field hides the entries of that list in whose `data-filter` the text is not.
function filter(field) {
  const list = document.getElementById(field.dataset.filterList);
  const wanted = field.value.trim().toLowerCase();
  let shown = 0;
  for (const entry of list?.children ?? []) {
    entry.hidden = !entry.dataset.filter.toLowerCase().includes(wanted);
    if (!entry.hidden) shown += 1;
  }
  const none = document.getElementById(`${field.dataset.filterList}-none`);
  if (none) none.hidden = shown > 0;
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-filter-list]")) filter(event.target);
});

// A form of choices alone needs no button where scripts run: choosing is asking.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-submit-on-change] select")) event.target.form.requestSubmit();
});
