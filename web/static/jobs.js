// The staff's page of jobs: draws the rows, keeps them fresh, stops and removes.
(() => {
  "use strict";
  const { jobs, lang, words } = JSON.parse(document.getElementById("jobs-config").textContent);
  const table = document.getElementById("jobs");
  const said = document.getElementById("jobs-said");
  const sign = { accepted: "…", running: "▶", successful: "✓", failed: "✕", dismissed: "■" };
  let shown = "";

  const active = (job) => job.status === "accepted" || job.status === "running";
  const seconds = (job) => {
    if (!job.started) return "—";
    const end = job.finished ? new Date(job.finished) : new Date();
    return ((end - new Date(job.started)) / 1000).toFixed(1);
  };

  function make(name, content, attributes = {}) {
    const element = document.createElement(name);
    element.append(...[content].flat());
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  }

  function bar(job) {
    if (job.status === "running") {
      const attributes = { max: 100, "aria-label": words[job.processID] || job.processID };
      if (job.progress != null) attributes.value = job.progress;
      const figures = Object.entries(job.figures || {})
        .map(([key, value]) => `${key} ${Number(value).toLocaleString("en")}`)
        .join(" · ");
      const text = [job.progress == null ? "" : `${job.progress}%`, job.stage || "", figures];
      return [make("progress", [], attributes), ` ${text.filter(Boolean).join(" ")}`];
    }
    return [job.status === "failed" ? job.message : job.progress == null ? "—" : `${job.progress}%`];
  }

  function actions(job) {
    if (active(job) && job.stopping) return [words.stopping];
    const button = make("button", active(job) ? words.stop : words.remove, { type: "button" });
    button.addEventListener("click", () => {
      button.disabled = true;
      change(`/api/jobs/${job.jobID}${active(job) ? "?keep=true" : ""}`);
    });
    return [button];
  }

  function row(job) {
    const result = job.links.find((link) => link.rel.endsWith("/results"));
    const state = job.status === "failed" ? words.failed_state : words[job.status];
    return make("tr", [
      make("th", words[job.processID] || job.processID, { scope: "row" }),
      make("td", job.asked || "—", { class: "asked" }),
      make("td", `${sign[job.status]} ${state}`),
      make("td", bar(job)),
      make("td", new Date(job.created).toLocaleString(lang === "zh" ? "zh-CN" : "en-GB")),
      make("td", seconds(job), { class: "num" }),
      make("td", result ? [make("a", job.filename || words.result, { href: result.href })] : ["—"]),
      make("td", actions(job)),
    ]);
  }

  function draw(list) {
    const now = JSON.stringify(list);
    if (now === shown && !list.some(active)) return;
    shown = now;
    const focused = [...table.querySelectorAll("button")].indexOf(document.activeElement);
    table.tBodies[0].replaceChildren(...list.map(row));
    if (focused >= 0) table.querySelectorAll("button")[focused]?.focus();
    table.hidden = !list.length;
    document.getElementById("jobs-none").hidden = list.length > 0;
  }

  async function refresh() {
    const answer = await fetch(`/api/jobs?lang=${lang}`);
    if (answer.ok) draw((await answer.json()).jobs);
  }

  async function change(path) {
    try {
      const answer = await fetch(path, { method: "DELETE" });
      const body = await answer.json();
      said.textContent = answer.ok ? "" : body.detail || words.failed;
      if (body.removed != null) said.textContent = words.cleaned.replace("{count}", body.removed);
      await refresh();
    } catch {
      said.textContent = words.failed;
    }
  }

  document.getElementById("jobs-clean").addEventListener("click", () => change("/api/jobs"));
  draw(jobs);
  window.setInterval(() => {
    if (!document.hidden) refresh().catch(() => {});
  }, 1500);
})();
