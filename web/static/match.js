// The page of matching: sliders beside the weights, and all pairs of the page ticked at once.
(() => {
  "use strict";
  const { words } = JSON.parse(document.getElementById("match-config").textContent);

  for (const slider of document.querySelectorAll("[data-of]")) {
    const field = document.querySelector(`[name="${slider.dataset.of}"]`);
    slider.hidden = false;
    slider.addEventListener("input", () => (field.value = slider.value));
    field.addEventListener("input", () => (slider.value = field.value));
  }

  // What is empty or usual need not stand in the address.
  document.getElementById("match-form").addEventListener("submit", (event) => {
    for (const field of event.target.elements) {
      const untouched = field.type === "number" && !fieldsetChanged(field.name[0]);
      if (field.name && (field.value === "" || untouched)) field.disabled = true;
    }
    window.setTimeout(() => {
      for (const field of event.target.elements) field.disabled = false;
    });
  });

  /** Whether a weight of a side stands otherwise than the page came with, or is not the usual one. */
  function fieldsetChanged(sign) {
    const fields = [...document.querySelectorAll(`#match-form [name^="${sign}_"]`)];
    return (
      new URLSearchParams(location.search).has(fields[0].name) ||
      [...new URLSearchParams(location.search).keys()].some((key) => key.startsWith(`${sign}_`)) ||
      fields.some((field) => field.value !== field.defaultValue)
    );
  }

  const form = document.getElementById("match-pairs");
  if (!form) return;
  const every = document.getElementById("match-every");
  const boxes = [...form.querySelectorAll('[name="pair"]')];
  const count = document.getElementById("match-count");
  every.hidden = document.getElementById("match-every-words").hidden = false;

  function refresh() {
    const ticked = boxes.filter((box) => box.checked).length;
    count.textContent = ticked ? words.ticked.replace("{count}", ticked) : "";
    every.checked = ticked > 0 && ticked === boxes.length;
    every.indeterminate = ticked > 0 && ticked < boxes.length;
    for (const button of form.querySelectorAll("button")) button.disabled = !ticked;
  }

  every.addEventListener("change", () => {
    for (const box of boxes) box.checked = every.checked;
    refresh();
  });
  form.addEventListener("change", refresh);
  form.addEventListener("submit", (event) => {
    const reason = form.elements.reason;
    const declining = event.submitter?.value === "lost";
    reason.setCustomValidity(declining && !reason.value ? words.reason : "");
    if (!form.reportValidity()) event.preventDefault();
  });
  form.elements.reason.addEventListener("change", (event) => event.target.setCustomValidity(""));
  refresh();
})();
