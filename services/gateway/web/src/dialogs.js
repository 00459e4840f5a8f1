// `data-dialog="id"` opens a dialog, and `data-fill-NAME="value"` fills its field NAME first; `data-close` closes it.
// A button that names no dialog on this page is a link or a form: it works without this module.
const FILL = "fill";

function fill(dialog, button) {
  for (const [key, value] of Object.entries(button.dataset)) {
    if (!key.startsWith(FILL) || key.length === FILL.length) continue;
    const name = key.slice(FILL.length).toLowerCase();
    for (const field of dialog.querySelectorAll(`[name="${name}"]`)) {
      if (field.type === "radio") field.checked = field.value === value;
      else field.value = value;
    }
    for (const shown of dialog.querySelectorAll(`[data-shows="${name}"]`)) shown.textContent = value;
  }
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog) {
    event.preventDefault();
    fill(dialog, opener);
    dialog.showModal();
  }
  if (event.target.closest("[data-close]") || event.target.matches("dialog[data-light-dismiss]")) {
    event.target.closest("dialog")?.close();
  }
});

// `data-confirm="question"` on a form asks before it is sent.
let asking = null;

function ask(form) {
  asking = form;
  document.getElementById("confirm-title").textContent = form.dataset.confirm;
  document.getElementById("confirm-about").textContent = form.dataset.confirmAbout ?? "";
  document.getElementById("confirm-yes").textContent = form.dataset.confirmYes ?? "Yes";
  document.getElementById("confirm").showModal();
}

document.getElementById("confirm-yes")?.addEventListener("click", () => {
  document.getElementById("confirm").close();
  asking.dataset.confirmed = "true";
  asking.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.confirm || form.dataset.confirmed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(form);
});

// A form that was sent is not sent twice by a second click.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  else if (form.method === "post") form.dataset.sent = "true";
});

// Coming back by the browser's button shows the page as it was left: its forms may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
