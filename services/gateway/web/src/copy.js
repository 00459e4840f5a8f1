// `data-copy` copies a text, or `data-copy-from="id"` the text of an element, and says so for a moment.
const SAID_MS = 1600;

// The clipboard is there for secure pages alone (https, or this machine): elsewhere a selection is copied.
async function put(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent;
  await put(text.trim());
  button.dataset.copied = "true";
  document.getElementById("said").textContent = "Copied";
  setTimeout(() => delete button.dataset.copied, SAID_MS);
});
