// Extensions are written for a global `htmx`: it exists before they are loaded.
import htmx from "htmx.org/dist/htmx.esm.js";

window.htmx = htmx;
