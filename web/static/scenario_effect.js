// What a scenario does, and what a change would do that is not kept yet.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const { editor, element, fill } = hatchmap;
  const { config, words, lang, $, call, attempt } = editor;
  let asked = 0;

  const number = (value, digits = 1) =>
    value == null ? "—" : value.toLocaleString("en", { maximumFractionDigits: digits });
  const percent = (value) => (value == null ? "—" : `${number(value * 100)}%`);

  function townLines(effect) {
    const names = (rows) => rows.map((town) => town.name).join("、");
    const lines = [];
    if (effect.won.length) lines.push(fill(words.won, { towns: names(effect.won) }));
    if (effect.lost.length) lines.push(fill(words.lost, { towns: names(effect.lost) }));
    return lines.length ? lines : [words.no_towns];
  }

  function targetList(effect, most = 6) {
    if (!effect.targets.length) return element("p", words.no_targets, "muted");
    const box = document.createElement("div");
    const list = document.createElement("ul");
    for (const row of effect.targets.slice(0, most)) {
      const name = lang === "zh" ? row.zh : row.en;
      list.append(element("li",
        `${row.unit} ${row.year} ${name} ${percent(row.before)} → ${percent(row.after)}`));
    }
    box.append(element("strong", words.targets), list);
    if (effect.targets.length > most) {
      box.append(element("p", fill(words.more, { count: effect.targets.length - most }), "muted"));
    }
    return box;
  }

  async function showEffect() {
    const effect = await attempt(() => call("/effect"));
    if (!effect) return;
    const { before, after, total } = effect.covered;
    $("covered").textContent = before === after
      ? `${number(after)} / ${total}` : `${number(before)} → ${number(after)} / ${total}`;
    $("effect-towns").textContent = townLines(effect).join("；");
    $("effect-demo").hidden = !effect.demo_counted;
    $("effect-targets").replaceChildren(targetList(effect));
    editor.drawTowns(effect.towns);
    document.documentElement.dataset.scenarioReady = String(editor.report.changes.length);
  }

  /** What if: the effect of what is not kept yet, with the walking zones of its place. */
  async function tryOut(change) {
    if (!change) return;
    const own = ++asked;
    const began = performance.now();
    $("trial").hidden = false;
    $("trial-took").textContent = words.working;
    const point = change.values.geometry?.type === "Point" ? change.values.geometry.coordinates : null;
    const effect = await attempt(() => call("/effect", "POST", {
      changes: [change], lon: point?.[0], lat: point?.[1],
    }));
    if (own !== asked) return; // another question has been asked since
    if (!effect) {
      $("trial").hidden = true;
      return;
    }
    const body = $("trial-body");
    const lines = document.createElement("ul");
    for (const line of townLines(effect)) lines.append(element("li", line));
    for (const zone of effect.zone?.features || []) {
      const { minutes, area_m2: area, amenities } = zone.properties;
      const count = Object.values(amenities).reduce((sum, one) => sum + one, 0);
      lines.append(element("li", fill(words.zone, { minutes, area: number(area / 1e4, 0), count })));
    }
    if (effect.zone) {
      const names = effect.zone.missing.map((key) => config.categories[key] || key).join("、");
      lines.append(element("li", names ? fill(words.missing, { names }) : words.complete));
    }
    body.replaceChildren(lines, targetList(effect, 4));
    editor.zones.clearLayers();
    if (effect.zone) {
      editor.zones.addData({ type: "FeatureCollection", features: [...effect.zone.features].reverse() });
    }
    const ms = Math.round(performance.now() - began);
    $("trial-took").textContent = fill(words.took, { ms });
    $("trial").dataset.won = effect.won.map((town) => town.code).join(",");
  }

  Object.assign(editor, { showEffect, tryOut });
})();
