// Everything that runs in the browser. The server renders; each module here serves one kind of element.
import "./htmx.js";
import "htmx.org/dist/ext/hx-sse.js";
import "./trusted-types.js";
import "basecoat-css/basecoat";
import "basecoat-css/command";
import "./theme.js";
import "./palette.js";
import "./dialogs.js";
import "./times.js";
import "./copy.js";
import "./filter.js";
import "./tab.js";
import "./live.js";
import "./log.js";
import "./events.js";
