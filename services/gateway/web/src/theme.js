// Light or dark: as the system wants it, until somebody chooses. The choice is a cookie, so that the server renders it
// and no page flashes.
const YEAR_SECONDS = 365 * 24 * 3600;
const root = document.documentElement;

function isDark() {
  if (root.classList.contains("dark")) return true;
  return !root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches;
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const chosen = isDark() ? "light" : "dark";
  root.classList.remove("light", "dark");
  root.classList.add(chosen);
  document.cookie = `theme=${chosen}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
});
