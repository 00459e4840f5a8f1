// The command palette: Ctrl+K or Cmd+K anywhere, or its button. The projects are fetched when it first opens.
const palette = document.getElementById("palette");

function ready() {
  palette.querySelector(".command").refresh?.();
  palette.querySelector("input").focus();
}

async function open() {
  if (palette.open) return;
  palette.showModal();
  ready();
  const projects = document.getElementById("palette-projects");
  if (projects.dataset.loaded) return;
  projects.dataset.loaded = "true";
  await window.htmx.ajax("GET", projects.dataset.from, { target: projects, swap: "innerHTML" });
  palette.querySelector(".command").refresh?.();
}

if (palette) {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette]")) open();
    if (event.target === palette) palette.close();
  });
}
