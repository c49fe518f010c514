// The page of reports: asks for one, follows its job, offers the file.
(() => {
  "use strict";
  const { words, stages } = JSON.parse(document.getElementById("report-config").textContent);
  const form = document.getElementById("report-form");
  const byId = (name) => document.getElementById(`report-${name}`);
  const bar = byId("progress").querySelector("progress");
  let job = null;
  let unwanted = false;

  function show(name, text) {
    for (const other of ["problem", "done"]) byId(other).hidden = other !== name;
    if (name) byId(name).replaceChildren(...[text].flat());
  }

  function working(on) {
    byId("progress").hidden = !on;
    byId("stop").hidden = !on;
    form.querySelector("[type=submit]").disabled = on;
    if (on) {
      bar.removeAttribute("value");
      byId("stage").textContent = words.waiting;
    }
  }

  function question() {
    const fields = new FormData(form);
    return {
      format: fields.get("format"),
      unit: fields.get("unit") || null,
      date: fields.get("date"),
      lang: fields.get("lang"),
      demo: fields.has("demo"),
      sections: fields.getAll("sections"),
    };
  }

  function offer(status, at_once) {
    const result = status.links.find((link) => link.rel.endsWith("/results"));
    const size = Math.ceil(status.size_bytes / 1000).toLocaleString("en");
    const link = document.createElement("a");
    link.href = result.href;
    link.id = "report-file";
    link.textContent = words.download.replace("{name}", status.filename).replace("{size}", size);
    show("done", [`${at_once ? words.again : words.done} `, link]);
    link.focus();
  }

  function take(status, at_once = false) {
    if (status.status === "running") {
      if (status.progress != null) bar.value = status.progress;
      const stage = stages[status.stage] || status.stage || "";
      byId("stage").textContent = `${words.working.replace("{stage}", stage)} ${status.progress ?? 0}%`;
      return false;
    }
    if (status.status === "accepted") return false;
    if (status.status === "successful") offer(status, at_once);
    else if (status.status === "dismissed") show("done", words.stopped);
    else show("problem", status.message);
    working(false);
    job = null;
    return true;
  }

  function follow(status) {
    const source = new EventSource(`/api/jobs/${status.jobID}/events`);
    const told = (event) => {
      if (take(JSON.parse(event.data))) source.close();
    };
    source.addEventListener("status", told);
    source.addEventListener("progress", told);
  }

  async function ask() {
    const asked = question();
    if (!asked.sections.length) {
      show("problem", words.none_chosen);
      return;
    }
    show(null);
    working(true);
    unwanted = false;
    try {
      const answer = await fetch("/api/report", {
        method: "POST",
        headers: { "Content-Type": "application/json", Prefer: "respond-async" },
        body: JSON.stringify(asked),
      });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.detail || words.failed);
      job = body.jobID;
      if (unwanted) stop();
      if (!take(body, true)) follow(body);
    } catch (error) {
      working(false);
      show("problem", error.message || words.failed);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  // Pressed before the server has named the job, it is kept for when it has.
  function stop() {
    unwanted = true;
    if (job) fetch(`/api/jobs/${job}?keep=true`, { method: "DELETE" });
  }

  byId("stop").addEventListener("click", stop);
})();
