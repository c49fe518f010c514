// The form of a need: the server checks it while one types, and what is typed is not lost.
(() => {
  "use strict";
  const form = document.getElementById("demand-form");
  const CONTACT = ["contact_name", "contact_phone", "contact_email"];
  const KEPT = `hatchmap:${new URL(form.action).pathname}`;
  const touched = new Set();
  let asking = null;
  let waiting = 0;

  /** Fields as they would be sent; a contact leaves the device only after consent. */
  function fields({ contact = form.elements.consent.checked } = {}) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value !== "" && (contact || !CONTACT.includes(name))) query.append(name, value);
    }
    return query;
  }

  const boxes = (name) => [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];

  function say(name, text) {
    const line = document.getElementById(`e-${name}`);
    if (!line) return;
    line.textContent = text;
    line.hidden = !text;
    for (const box of boxes(name)) {
      if (text) box.setAttribute("aria-invalid", "true");
      else box.removeAttribute("aria-invalid");
    }
  }

  /** Ask the server; show what is wrong with fields that were touched, and clear what is right. */
  async function check() {
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: fields(), signal: asking.signal });
      if (!answer.ok) return;
      const { errors } = await answer.json();
      for (const line of form.querySelectorAll(".field-error")) {
        const name = line.id.slice(2);
        if (touched.has(name) || !line.hidden) say(name, errors[name] || "");
      }
    } catch {
      // Without a network the server checks the form when it is sent.
    }
  }

  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(check, 350);
  }

  form.addEventListener("input", (event) => {
    if (event.target.name) touched.add(event.target.name);
    // A contact without consent is no mistake before the form is sent.
    if (CONTACT.includes(event.target.name)) touched.delete("consent");
    keep();
    later();
  });
  form.addEventListener("focusout", (event) => {
    if (!event.target.name) return;
    touched.add(event.target.name);
    later();
  });

  /** Keep what is typed for this tab, so that the other language or a reload has it; no contact. */
  function keep() {
    const query = fields({ contact: false });
    query.delete("consent");
    sessionStorage.setItem(KEPT, query.toString());
  }

  function restore() {
    const text = sessionStorage.getItem(KEPT);
    if (text === null || document.getElementById("faults") || form.elements.space) return;
    const query = new URLSearchParams(text);
    for (const box of form.elements) {
      if (!box.name || CONTACT.includes(box.name) || box.name === "consent") continue;
      if (box.type === "checkbox") box.checked = query.getAll(box.name).includes(box.value);
      else if (box.type !== "hidden") box.value = query.get(box.name) ?? "";
    }
    form.dispatchEvent(new Event("restored"));
  }

  form.addEventListener("submit", () => {
    const button = form.querySelector("button.primary");
    button.textContent = button.dataset.busy;
    // After the form has gone: a second click must not send it again.
    setTimeout(() => { button.disabled = true; });
    sessionStorage.removeItem(KEPT);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  restore();
  if (location.hash === "#facts") document.getElementById("facts")?.setAttribute("open", "");
  document.getElementById("faults")?.focus();
  document.documentElement.dataset.formReady = "true";
})();
