// What the parts of the editor of a scenario share: asking the server, saying what went wrong.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const config = JSON.parse(document.getElementById("scenario-config").textContent);
  const { words, lang } = config;
  const $ = (id) => document.getElementById(id);
  const address = `/api/scenarios/${encodeURIComponent(config.id)}`;

  async function call(path, method = "GET", body) {
    const answer = await fetch(address + path, {
      method,
      headers: { "Content-Type": "application/json", "Accept-Language": lang },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.status === 204) return null;
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(tell(said)), { status: answer.status });
    return said;
  }

  function tell(problem) {
    const faults = (problem.errors || []).map((one) =>
      `${config.labels[one.where] || one.where}：${one.what}${one.fix ? `；${one.fix}` : ""}`);
    return faults.length ? faults.join("\n") : problem.detail || words.failed;
  }

  function show(id, text) {
    $(id).textContent = text;
    $(id).hidden = !text;
  }

  /** Do something and say what went wrong, if it did. */
  async function attempt(work) {
    show("scenario-problem", "");
    try {
      return await work();
    } catch (error) {
      show("scenario-problem", error.message);
      $("scenario-problem").scrollIntoView({ block: "nearest" });
      return undefined;
    }
  }

  async function save(changes) {
    const done = await attempt(() => call("/changes", "POST", { changes }));
    if (!done) return false;
    editor.report = done;
    editor.refresh();
    return true;
  }

  /** What else the parts add: `report`, `refresh`, `tryOut`, `pick`, `openRecord` and the like. */
  const editor = { config, words, lang, $, address, map: hatchmap.view.map, call, tell, show, attempt, save };
  hatchmap.editor = editor;
})();
