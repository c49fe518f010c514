// A page that waits for a job: tells how far it is, stops it when asked, and shows what it made.
(() => {
  "use strict";
  const box = document.querySelector("[data-job]");
  if (!box) return;
  const { words } = JSON.parse(document.querySelector("#match-config, #shortage-config, #compare-config").textContent);
  const [bar, said, stop] = [box.querySelector("progress"), box.querySelector("output"), box.querySelector("button")];
  const address = `/api/jobs/${box.dataset.job}`;
  const number = (value) => Number(value).toLocaleString("en", { maximumFractionDigits: 1 });

  function tell(job) {
    if (job.progress) bar.value = job.progress;
    const figures = job.figures || {};
    const stage = job.status === "accepted" ? "accepted" : job.stage || "reading";
    const parts = [words[stage] || stage];
    if (figures.found != null) parts.push(words.found.replace("{found}", number(figures.found)));
    if (figures.bound != null) parts.push(words.bound.replace("{bound}", number(figures.bound)));
    said.textContent = parts.filter(Boolean).join(" · ");
    if (!["accepted", "running"].includes(job.status)) {
      events.close();
      location.reload();
    }
  }

  const elapsed = box.querySelector("[data-elapsed]");
  if (elapsed) {
    const since = new Date(box.dataset.since);
    const tick = () => {
      const seconds = Math.max(0, Math.round((Date.now() - since) / 1000));
      elapsed.textContent = elapsed.dataset.elapsed.replace("{seconds}", seconds);
    };
    tick();
    window.setInterval(tick, 1000);
  }

  const events = new EventSource(`${address}/events`);
  for (const name of ["status", "progress"]) {
    events.addEventListener(name, (event) => tell(JSON.parse(event.data)));
  }
  stop.addEventListener("click", async () => {
    stop.disabled = true;
    stop.textContent = words.stopping;
    await fetch(`${address}?keep=true`, { method: "DELETE" });
  });
})();
