// The staff's pages: say that a slow form is at work, and do not send it twice.
(() => {
  "use strict";
  for (const form of document.querySelectorAll("form[data-busy]")) {
    form.addEventListener("submit", () => {
      const output = form.querySelector("output");
      if (output) output.textContent = form.dataset.busy;
      for (const button of form.querySelectorAll("button")) button.disabled = true;
    });
  }
  // Of the plan's indicators, show the one that is chosen.
  const chosen = document.querySelector("select[name=indicator]");
  const figures = document.querySelectorAll("[data-figure]");
  if (chosen && figures.length) {
    const pick = () => {
      for (const one of figures) one.hidden = Boolean(chosen.value) && one.dataset.figure !== chosen.value;
    };
    chosen.addEventListener("change", pick);
    pick();
  }
  // A page that comes back from the browser's memory can be sent again.
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("form[data-busy] button")) button.disabled = false;
  });
})();
