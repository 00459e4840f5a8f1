// The one way in which text becomes markup here: what our own server rendered, escaped, put in place by htmx.
// The policy forbids scripts from text altogether.
function noScript() {
  throw new TypeError("no script is made from text here");
}

window.htmx.registerExtension("trusted-types", {
  init(api) {
    const rules = { createHTML: (rendered) => rendered, createScript: noScript };
    api.initSecurity(window.trustedTypes ? window.trustedTypes.createPolicy("htmx", rules) : rules);
  },
});
