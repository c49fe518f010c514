// The editor of a scenario: changes made by hand on the map or by form, and what they do at once.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const config = JSON.parse(document.getElementById("scenario-config").textContent);
  const { words, lang } = config;
  const map = hatchmap.view.map;
  const $ = (id) => document.getElementById(id);
  const address = `/api/scenarios/${encodeURIComponent(config.id)}`;
  const drawn = L.layerGroup().addTo(map);
  const fill = hatchmap.fill;
  const element = hatchmap.element;
  let report = null;
  let pending = null; // the marker or line being placed
  let asked = 0;

  // --- Asking ---------------------------------------------------------------------------------

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
    report = done;
    refresh();
    return true;
  }

  // --- What it does ---------------------------------------------------------------------------

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
    drawTowns(effect.towns);
    document.documentElement.dataset.scenarioReady = String(report.changes.length);
  }

  /** What if: the effect of what is not kept yet, with the walking zones of its place. */
  async function tryOut() {
    const change = placed();
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
    zones.clearLayers();
    if (effect.zone) {
      zones.addData({ type: "FeatureCollection", features: [...effect.zone.features].reverse() });
    }
    const ms = Math.round(performance.now() - began);
    $("trial-took").textContent = fill(words.took, { ms });
    $("trial").dataset.won = effect.won.map((town) => town.code).join(",");
  }

  const zones = L.geoJSON(null, {
    interactive: false,
    style: () => ({ color: "#762a83", weight: 1.5, fillOpacity: 0.08 }),
  }).addTo(map);

  // --- Placing --------------------------------------------------------------------------------

  const form = $("place-form");
  const layer = () => form.elements.layer.value;

  function arrange() {
    for (const part of form.querySelectorAll("[data-layer]")) {
      part.hidden = !part.dataset.layer.split(" ").includes(layer());
    }
  }

  /** The change that the form and the pin say; null while there is no place. */
  function placed() {
    const geometry = shapeOf();
    if (!geometry) return null;
    const values = { geometry };
    const take = (name, column = name) => {
      const field = form.elements[name];
      if (field.value !== "" && !field.closest("[hidden]")) {
        values[column] = field.type === "number" ? Number(field.value) : field.value;
      }
    };
    for (const name of ["name", "town", "area_m2", "opened_on", "year", "category", "status"]) take(name);
    take("project_status", "status");
    if (form.elements.lead_industries.value && !form.elements.lead_industries.closest("[hidden]")) {
      values.lead_industries = [form.elements.lead_industries.value];
    }
    if (layer() === "streets") values.foot = "both";
    if (values.status && !["operating", "rectifying"].includes(values.status)) delete values.opened_on;
    return { layer: layer(), action: "add", values };
  }

  function shapeOf() {
    if (layer() === "streets") {
      const points = pending?.getLatLngs?.() || [];
      if (points.length < 2) return null;
      return { type: "LineString", coordinates: points.map((at) => [at.lng, at.lat]) };
    }
    const { lon, lat } = form.elements;
    if (lon.value === "" || lat.value === "") return null;
    return { type: "Point", coordinates: [Number(lon.value), Number(lat.value)] };
  }

  const tool = {
    stopPicking() {
      $("pick").setAttribute("aria-pressed", "false");
      map.getContainer().classList.remove("picking");
      map.off("click", click);
      picked = null;
    },
  };
  let picked = null;

  /** Take the next clicks on the map. */
  function pick(take) {
    hatchmap.pick(tool);
    picked = take;
    map.getContainer().classList.add("picking");
    map.on("click", click);
    document.body.classList.remove("panel-open"); // the map, on a phone
  }

  function click(event) {
    picked?.(event.latlng);
  }

  function pinAt(latlng) {
    if (layer() === "streets") {
      if (!pending?.addLatLng) {
        clearPending();
        pending = L.polyline([], { color: "#762a83", weight: 5 }).addTo(map);
      }
      pending.addLatLng(latlng);
      if (pending.getLatLngs().length >= 2) tryOut();
      return;
    }
    setPoint(latlng);
    tool.stopPicking();
    document.body.classList.add("panel-open");
    tryOut();
  }

  // Where towns have no outline, the nearest seat is proposed as the town; it can be changed.
  let proposed = "";
  function proposeTown(latlng) {
    const field = form.elements.town;
    if (config.outlined || (field.value && field.value !== proposed)) return;
    const away = (town) => map.distance(latlng, [town.lat, town.lon]);
    const near = config.towns.reduce((best, town) => (!best || away(town) < away(best) ? town : best), null);
    proposed = field.value = near && away(near) <= 5000 ? near.name : "";
  }

  function setPoint(latlng) {
    clearPending();
    proposeTown(latlng);
    const icon = L.divIcon({ className: "", html: '<span class="mark pending">＋</span>', iconSize: [26, 26] });
    pending = L.marker(latlng, { icon, draggable: true, keyboard: false }).addTo(map);
    form.elements.lon.value = latlng.lng.toFixed(6);
    form.elements.lat.value = latlng.lat.toFixed(6);
    pending.on("dragend", () => {
      const at = pending.getLatLng();
      form.elements.lon.value = at.lng.toFixed(6);
      form.elements.lat.value = at.lat.toFixed(6);
      proposeTown(at);
      tryOut();
    });
  }

  function clearPending() {
    pending?.remove();
    pending = null;
    zones.clearLayers();
  }

  function endPlacing() {
    tool.stopPicking();
    clearPending();
    form.elements.lon.value = form.elements.lat.value = form.elements.town.value = "";
    $("trial").hidden = true;
  }

  if (form) {
    $("pick").addEventListener("click", () => {
      if ($("pick").getAttribute("aria-pressed") === "true") return tool.stopPicking();
      if (layer() === "streets") clearPending();
      pick(pinAt);
      $("pick").setAttribute("aria-pressed", "true");
      show("scenario-said", layer() === "streets" ? words.click_line : words.click);
    });
    form.addEventListener("change", (event) => {
      if (event.target.name === "layer") {
        endPlacing();
        arrange();
        return;
      }
      const { lon, lat } = form.elements;
      if (["lon", "lat"].includes(event.target.name) && lon.value !== "" && lat.value !== "") {
        setPoint(L.latLng(Number(lat.value), Number(lon.value)));
        map.panInside(pending.getLatLng(), { padding: [60, 60] });
      }
      tryOut();
    });
    $("try").addEventListener("click", tryOut);
    form.querySelector(".cancel").addEventListener("click", endPlacing);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const change = placed();
      if (!change) return show("scenario-problem", words.click);
      if (await save([change])) endPlacing();
    });
    arrange();
  }

  // --- Records, targets, rules ----------------------------------------------------------------

  const recordForm = $("record-form");

  async function openRecord() {
    const id = recordForm.elements.record.value.trim();
    if (!id) return;
    const answer = await fetch(`/api/incubators/${encodeURIComponent(id)}?scenario=${config.id}`);
    if (!answer.ok) return show("record-name", tell(await answer.json().catch(() => ({}))));
    const { properties } = await answer.json();
    $("record-name").textContent = `${properties.name} · ${properties.unit || ""}`;
    recordForm.elements.area_m2.value = properties.area_m2 ?? "";
    recordForm.elements.status.value = properties.status ?? "";
    recordForm.dataset.area = recordForm.elements.area_m2.value;
    recordForm.dataset.status = recordForm.elements.status.value;
  }

  const changeRecord = (values) =>
    save([{ layer: "incubators", action: "change", record: recordForm.elements.record.value.trim(), values }]);

  if (recordForm) {
    recordForm.elements.record.addEventListener("change", openRecord);
    recordForm.addEventListener("submit", async (event) => {
      event.preventDefault();
      const values = {};
      const { area_m2: area, status } = recordForm.elements;
      if (area.value !== "" && area.value !== recordForm.dataset.area) values.area_m2 = Number(area.value);
      if (status.value && status.value !== recordForm.dataset.status) values.status = status.value;
      if (await changeRecord(values)) openRecord();
    });
    recordForm.querySelector("[data-do=move]").addEventListener("click", () => {
      pick((latlng) => {
        tool.stopPicking();
        changeRecord({ geometry: { type: "Point", coordinates: [latlng.lng, latlng.lat] } });
      });
      show("scenario-said", words.click);
    });
    recordForm.querySelector("[data-do=close]").addEventListener("click", async () => {
      const day = new Date().toISOString().slice(0, 10);
      if (await changeRecord({ status: "withdrawn", closed_on: day })) openRecord();
    });
    recordForm.querySelector("[data-do=remove]").addEventListener("click", () =>
      save([{ layer: "incubators", action: "remove", record: recordForm.elements.record.value.trim() }]));
    map.on("popupopen", ({ popup }) => {
      const feature = popup._source?.feature;
      // Of the layers of this map only incubators have both.
      if (!feature?.properties?.status || !feature.properties.level) return;
      const button = element("button", words.in_scenario);
      button.type = "button";
      button.addEventListener("click", () => {
        recordForm.elements.record.value = feature.id;
        recordForm.closest("details").open = true;
        document.body.classList.add("panel-open");
        map.closePopup();
        openRecord();
        recordForm.elements.area_m2.focus();
      });
      popup.getElement()?.querySelector(".leaflet-popup-content")?.append(button);
    });
  }

  for (const [id, key] of [["target-form", "record"], ["rule-form", "path"]]) {
    const own = $(id);
    if (!own) continue;
    own.elements[key].addEventListener("change", () => {
      own.elements.value.value = own.elements[key].selectedOptions[0].dataset.value ?? "";
    });
    own.addEventListener("submit", async (event) => {
      event.preventDefault();
      const chosen = own.elements[key].value;
      const typed = own.elements.value.value;
      if (key === "record") {
        await save([{ layer: "plan_targets", action: "change", record: chosen, values: { value: Number(typed) } }]);
        return;
      }
      const [rule, ...path] = chosen.split("/");
      const value = typed === "true" ? true : typed === "false" ? false
        : typed.trim() !== "" && Number.isFinite(Number(typed)) ? Number(typed) : typed;
      await save([{ layer: "rules", action: "change", record: rule, values: { [path.join("/")]: value } }]);
    });
  }

  // --- The list of changes and the marks on the map -------------------------------------------

  function title(change) {
    const label = config.labels[change.layer] || change.layer;
    const name = change.after.name || change.before.name || change.record;
    const keys = Object.keys(change.after);
    const moved = change.action === "update" && keys.includes("geometry");
    return `${moved ? words.move : words[change.action]} ${label} ${name}`;
  }

  function detail(change) {
    if (change.action !== "update") return "";
    const text = (value) => (value == null ? words.none : typeof value === "object" ? JSON.stringify(value) : String(value));
    return Object.entries(change.after).filter(([key]) => key !== "geometry")
      .map(([key, value]) => `${config.labels[key] || key} ${text(change.before[key])} → ${text(value)}`)
      .join("；");
  }

  function list() {
    const rows = report.changes.map((change) => {
      const row = document.createElement("li");
      row.classList.toggle("undone", change.undone);
      const what = element("span", title(change), "what");
      row.append(what, " ");
      if (report.state === "draft") {
        const button = element("button", change.undone ? words.redo : words.undo);
        button.type = "button";
        button.addEventListener("click", async () => {
          const done = await attempt(() => call(`/changes/${encodeURIComponent(change.id)}`, "PATCH", { undone: !change.undone }));
          if (done) { report = done; refresh(); }
        });
        row.append(button);
      }
      const more = detail(change);
      if (more) row.append(element("small", more));
      return row;
    });
    $("changes").replaceChildren(...rows);
    $("no-changes").hidden = rows.length > 0;
    $("stale").hidden = !report.stale.length;
    $("stale").querySelector("ul").replaceChildren(
      ...report.stale.map((one) => element("li", `${config.labels[one.layer] || one.layer} ${one.record}：${one.why}`)));
  }

  function mark(kind, sign, at, text) {
    const icon = L.divIcon({ className: "", html: `<span class="mark mark-${kind}">${sign}</span>`, iconSize: [22, 22] });
    const marker = L.marker(at, { icon, keyboard: false, zIndexOffset: 800 }).addTo(drawn);
    marker.bindTooltip(element("span", text));
    return marker;
  }

  function draw() {
    drawn.clearLayers();
    for (const change of report.net) {
      const shape = change.after.geometry || change.before.geometry;
      if (!shape) continue;
      if (shape.type === "LineString") {
        L.geoJSON(shape, { interactive: false, style: { color: "#762a83", weight: 5 } }).addTo(drawn);
        continue;
      }
      if (shape.type !== "Point") continue;
      const [lon, lat] = shape.coordinates;
      const kind = { insert: "added", update: "changed", delete: "removed" }[change.action];
      mark(kind, { insert: "＋", update: "✎", delete: "−" }[change.action], [lat, lon], title(change));
      if (change.action === "update" && change.before.geometry) {
        const [x, y] = change.before.geometry.coordinates;
        L.polyline([[y, x], [lat, lon]], { color: "#b2481a", dashArray: "4 4", interactive: false }).addTo(drawn);
      }
    }
  }

  function drawTowns(towns) {
    const places = Object.fromEntries(config.towns.map((town) => [town.code, town]));
    for (const town of towns) {
      const place = places[town.code];
      if (!place || !(town.won || town.lost)) continue;
      const marker = mark(town.won ? "won" : "lost", town.won ? "●" : "✕", [place.lat, place.lon],
        fill(town.won ? words.won : words.lost, { towns: town.name }));
      marker.getElement()?.setAttribute("data-town", town.code);
    }
  }

  function refresh() {
    list();
    draw();
    showEffect();
  }

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
    report = await call("");
    refresh();
  });
})();
