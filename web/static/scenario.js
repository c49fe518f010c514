// A page that shows a scenario asks for it in every request and every link of its own site.
(() => {
  "use strict";
  const scenario = document.currentScript.dataset.scenario;
  const OUTSIDE = /^\/(assets|static|staff|scenarios|s|api\/scenarios|api\/docs|api\/openapi\.json)(\/|$)/;

  /** Return an address with the scenario; others' addresses and those of no scenario as they are. */
  function within(address) {
    const url = new URL(address, location.href);
    if (url.origin !== location.origin || OUTSIDE.test(url.pathname)) return address;
    if (!url.searchParams.has("scenario")) url.searchParams.set("scenario", scenario);
    return url.href;
  }

  const ask = window.fetch;
  window.fetch = (what, ...more) =>
    ask.call(window, what instanceof Request ? new Request(within(what.url), what) : within(what), ...more);

  for (const event of ["click", "auxclick", "keydown"]) {
    document.addEventListener(event, ({ target }) => {
      const link = target.closest?.("a[href]");
      if (link && !("noScenario" in link.dataset)) link.href = within(link.href);
    }, true);
  }

  document.addEventListener("submit", ({ target }) => {
    const kept = target.elements.namedItem("scenario");
    if (target.method !== "get" || kept || OUTSIDE.test(new URL(target.action).pathname)) return;
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "scenario", value: scenario });
    target.append(field);
  }, true);
})();
