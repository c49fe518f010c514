// The secret link of a need: copied once, and opened without its secret ever reaching a log.
(() => {
  "use strict";
  const posted = document.getElementById("posted");
  if (posted) {
    // A reload opens the need instead of posting it once more.
    history.replaceState(null, "", posted.dataset.path);
    const link = document.getElementById("secret-link");
    const button = document.getElementById("copy-link");
    const said = document.getElementById("copy-said");
    button.hidden = false;
    link.addEventListener("focus", () => link.select());
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(link.value);
        said.textContent = button.dataset.done;
      } catch {
        link.focus();
        said.textContent = button.dataset.failed;
      }
    });
  }
  const form = document.getElementById("key-form");
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (form && key) {
    // Off the address bar and out of the history before anything is sent.
    history.replaceState(null, "", location.pathname + location.search);
    form.elements.key.value = key;
    form.submit();
  }
})();
