// The list of scenarios: two or three can be compared.
(() => {
  "use strict";
  const form = document.getElementById("compare-scenarios");
  if (!form) return;
  const boxes = [...form.querySelectorAll("input[name=ids]")];
  const button = form.querySelector("[type=submit]");
  const count = () => boxes.filter((box) => box.checked).length;
  const set = () => {
    button.disabled = count() < 2;
    for (const box of boxes) box.disabled = !box.checked && count() >= 3;
  };
  form.addEventListener("change", set);
  window.addEventListener("pageshow", set); // also when gone back to
  set();
})();
