// The editor of a scenario: the list of its changes, sharing, copying, adopting. It starts the others.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const { editor, element, fill } = hatchmap;
  const { config, words, lang, $, call, tell, attempt, show } = editor;

  function title(change) {
    const label = config.labels[change.layer] || change.layer;
    const name = change.after.name || change.before.name || change.record;
    const keys = Object.keys(change.after);
    const moved = change.action === "update" && keys.includes("geometry");
    const placed = change.after.geometry ? words.move : words.unplace;
    return `${moved ? placed : words[change.action]} ${label} ${name}`;
  }

  function detail(change) {
    if (change.action !== "update") return "";
    const text = (value) => (value == null ? words.none : typeof value === "object" ? JSON.stringify(value) : String(value));
    return Object.entries(change.after).filter(([key]) => key !== "geometry")
      .map(([key, value]) => `${config.labels[key] || key} ${text(change.before[key])} → ${text(value)}`)
      .join("；");
  }

  function list() {
    const rows = editor.report.changes.map((change) => {
      const row = document.createElement("li");
      row.classList.toggle("undone", change.undone);
      const what = element("span", title(change), "what");
      row.append(what, " ");
      if (editor.report.state === "draft") {
        const button = element("button", change.undone ? words.redo : words.undo);
        button.type = "button";
        button.addEventListener("click", async () => {
          const done = await attempt(() => call(`/changes/${encodeURIComponent(change.id)}`, "PATCH", { undone: !change.undone }));
          if (done) { editor.report = done; refresh(); }
        });
        row.append(button);
      }
      const more = detail(change);
      if (more) row.append(element("small", more));
      return row;
    });
    $("changes").replaceChildren(...rows);
    $("no-changes").hidden = rows.length > 0;
    $("stale").hidden = !editor.report.stale.length;
    $("stale").querySelector("ul").replaceChildren(
      ...editor.report.stale.map((one) => element("li", `${config.labels[one.layer] || one.layer} ${one.record}：${one.why}`)));
  }

  function refresh() {
    list();
    editor.draw();
    editor.showEffect();
  }
  Object.assign(editor, { title, refresh });

  // --- Managing -------------------------------------------------------------------------------

  $("share").addEventListener("click", () => attempt(async () => {
    const { link } = await call("/share", "POST");
    $("share-link").hidden = false;
    const field = $("share-link").querySelector("input");
    field.value = link;
    field.select();
    $("share-end").hidden = false;
  }));
  $("share-end").addEventListener("click", () => attempt(async () => {
    await call("/share", "DELETE");
    $("share-link").hidden = true;
    $("share-end").hidden = true;
  }));
  $("duplicate").addEventListener("click", () => {
    const name = window.prompt(words.name_copy, config.copy_name);
    if (!name) return;
    attempt(async () => {
      const answer = await fetch("/api/scenarios", {
        method: "POST", headers: { "Content-Type": "application/json", "Accept-Language": lang },
        body: JSON.stringify({ name, copy_of: config.id }),
      });
      const made = await answer.json();
      if (!answer.ok) throw new Error(tell(made));
      location.href = `/scenarios/${made.id}?lang=${lang}`;
    });
  });
  $("archive")?.addEventListener("click", (event) => attempt(async () => {
    await call("", "PATCH", { state: event.target.dataset.state });
    location.reload();
  }));
  $("delete").addEventListener("click", () => {
    if (!window.confirm(words.confirm_delete)) return;
    attempt(async () => {
      await call("", "DELETE");
      location.href = `/scenarios?lang=${lang}`;
    });
  });

  async function adopt(body) {
    show("scenario-problem", "");
    try {
      const done = await call("/adopt", "POST", body);
      const count = Object.values(done.written).reduce((sum, one) => sum + one, 0);
      sessionStorage.setItem("scenario-said", fill(words.adopted, { count }));
      location.reload();
    } catch (error) {
      if (error.status !== 409) return show("scenario-problem", error.message);
      await attempt(showConflicts);
    }
  }

  async function showConflicts() {
    const { conflicts } = await call("/conflicts");
    const plain = (value) => (value == null ? words.none : typeof value === "object" ? JSON.stringify(value) : String(value));
    $("conflicts").querySelector("ul").replaceChildren(...conflicts.map((one) => {
      const row = document.createElement("li");
      const column = one.column === "*" ? "" : config.labels[one.column] || one.column;
      const set = document.createElement("fieldset");
      set.append(element("legend", `${config.labels[one.layer] || one.layer} ${one.record} ${column} · ${words[`why_${one.why}`]}${one.other ? `（${one.other}）` : ""}`));
      for (const [value, text] of [
        ["scenario", `${words.use_scenario} ${one.column === "*" ? "" : plain(one.wanted)}`],
        ["real", `${words.use_real} ${one.column === "*" ? "" : plain(one.now)}`],
      ]) {
        const choice = element("label", "", "choice");
        const input = document.createElement("input");
        Object.assign(input, { type: "radio", name: one.key, value, required: true });
        choice.append(input, ` ${text}`);
        set.append(choice);
      }
      row.append(set);
      return row;
    }));
    $("conflicts").hidden = false;
    $("conflicts").scrollIntoView({ block: "nearest" });
  }

  $("adopt")?.addEventListener("click", () => {
    if (window.confirm(words.confirm_adopt)) adopt({});
  });
  $("conflicts")?.addEventListener("submit", (event) => {
    event.preventDefault();
    adopt({ choices: Object.fromEntries(new FormData(event.target)) });
  });
  for (const button of $("conflicts")?.querySelectorAll("[data-all]") || []) {
    button.addEventListener("click", () => {
      for (const input of $("conflicts").querySelectorAll(`input[value=${button.dataset.all}]`)) input.checked = true;
    });
  }

  const said = sessionStorage.getItem("scenario-said");
  if (said) {
    show("scenario-said", said);
    sessionStorage.removeItem("scenario-said");
  }
  attempt(async () => {
    editor.report = await call("");
    refresh();
  });
})();
