// The page of siting: sends the question, shows how the solver gets on, draws the answer.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const { lang, words } = JSON.parse(document.getElementById("siting-config").textContent);
  const form = document.getElementById("siting-form");
  const byId = (name) => document.getElementById(`siting-${name}`);
  const map = hatchmap.view.map;
  const pins = L.layerGroup().addTo(map);
  let run = null;
  let asking = null;

  const model = () => form.elements.model.value;
  const number = (value, digits = 0) =>
    value == null ? "—" : value.toLocaleString("en", { maximumFractionDigits: digits });

  /** Show only what the model of the question needs. */
  function arrange() {
    for (const part of document.querySelectorAll(".siting [data-model]")) {
      part.hidden = !part.dataset.model.split(" ").includes(model());
      for (const field of part.querySelectorAll("input, select")) field.disabled = part.hidden;
    }
  }

  /** The question as the server takes it. */
  function question() {
    const asked = { model: model(), budget_cny: {} };
    for (const field of form.elements) {
      if (!field.name || field.disabled || field.type === "radio") continue;
      if (field.type === "checkbox") asked[field.name] = field.checked;
      else if (field.value === "") continue;
      else if (field.name.startsWith("budget_")) {
        asked.budget_cny[field.name.slice(7)] = Number(field.value);
      } else if (field.name === "target_percent") asked.target_share = Number(field.value) / 100;
      else if (field.name === "gap_percent") asked.gap = Number(field.value) / 100;
      else asked[field.name] = field.type === "number" ? Number(field.value) : field.value;
    }
    return asked;
  }

  /** The address holds the question, so that it can be shared. */
  function remember() {
    const query = new URLSearchParams({ lang });
    for (const field of form.elements) {
      if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
      if (field.type === "checkbox") query.set(field.name, field.checked ? "1" : "0");
      else if (field.value !== "") query.set(field.name, field.value);
    }
    history.replaceState(null, "", `${location.pathname}?${query}${location.hash}`);
  }

  function recall() {
    const query = new URLSearchParams(location.search);
    for (const field of form.elements) {
      const value = query.get(field.name);
      if (!field.name || value === null) continue;
      if (field.type === "checkbox") field.checked = value === "1";
      else if (field.type === "radio") field.checked = field.value === value;
      else field.value = value;
    }
    arrange();
    return query.has("model");
  }

  /** Read server-sent events from the body of an answer. */
  async function* events(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      held += value;
      const blocks = held.split("\n\n");
      held = blocks.pop();
      for (const block of blocks) {
        const [, name] = block.match(/^event: (.*)$/m) || [];
        const [, data] = block.match(/^data: (.*)$/m) || [];
        if (name && data) yield [name, JSON.parse(data)];
      }
    }
  }

  function fail(text) {
    byId("problem").textContent = text;
    byId("problem").hidden = false;
  }

  function working(on) {
    byId("progress").hidden = !on;
    byId("stop").hidden = !on;
    form.querySelector("[type=submit]").disabled = on;
    byId("problem").hidden = on || byId("problem").hidden;
    byId("progress").querySelector("output").textContent = on ? words.working : "";
  }

  async function ask() {
    asking?.abort();
    const own = (asking = new AbortController());
    const asked = question();
    remember();
    working(true);
    const began = performance.now();
    const bar = byId("progress").querySelector("progress");
    const tick = window.setInterval(() => {
      bar.value = Math.min(0.98, (performance.now() - began) / 1000 / (asked.time_limit_s || 30));
    }, 200);
    try {
      const answer = await fetch("/api/siting", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
        body: JSON.stringify(asked),
        signal: own.signal,
      });
      if (!answer.ok) {
        const problem = await answer.json().catch(() => ({}));
        fail(problem.detail || words.failed);
      } else {
        for await (const [name, body] of events(answer.body)) take(name, body);
      }
    } catch (error) {
      if (error.name !== "AbortError") fail(words.failed);
    }
    window.clearInterval(tick);
    if (asking === own) working(false);
    run = null;
  }

  /** Make a scenario of the answer, and go there. */
  let answered = null;
  byId("keep").querySelector("button").addEventListener("click", async () => {
    const time = new Date().toLocaleString(lang === "zh" ? "zh-CN" : "en-GB");
    const answer = await fetch("/api/scenarios/programme", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Accept-Language": lang },
      body: JSON.stringify({
        name: hatchmap.fill(words.keep_name, { time }),
        note: answered.sentence?.[lang] || "",
        sites: answered.chosen.map((site) => ({
          name: site.name || site.site, lon: site.lon, lat: site.lat, year: site.year, area_m2: site.capacity_m2,
        })),
      }),
    });
    const made = await answer.json().catch(() => ({}));
    if (answer.ok) location.href = `/scenarios/${made.id}?lang=${lang}`;
    else fail(made.detail || words.failed);
  });

  function take(name, body) {
    if (name === "run") run = body.run;
    else if (name === "progress") {
      const figures = { found: number(body.found), bound: number(body.bound) };
      byId("progress").querySelector("output").textContent = hatchmap.fill(words.progress, figures);
    } else if (name === "problem") fail(body.detail);
    else if (name === "result") draw(body);
  }

  /** The one number that says most. */
  function headline(answer) {
    if (answer.model === "cover") {
      return [`${number((answer.covered_share ?? 0) * 100, 1)}%`, words.served];
    }
    if (answer.model === "towns") return [number(answer.chosen.length), words.sites];
    return [answer.objective === null ? "—" : number(answer.objective / 1e8, 2), words.cost];
  }

  function draw(answer) {
    const [figure, label] = headline(answer);
    byId("figure").textContent = figure;
    byId("label").textContent = label;
    byId("sentence").textContent = answer.sentence[lang];
    byId("demo").hidden = !answer.demo_counted;
    const proof = { gap: answer.gap === null ? "—" : number(answer.gap * 100, 2) };
    byId("proof").textContent = `${words[answer.status]}${answer.gap === null ? "" : ` · ${hatchmap.fill(words.proof, proof)}`}`;
    byId("answer").hidden = byId("result").hidden = false;
    list("conflict", answer.conflict.map((one) => one[lang]));
    list("prices", (answer.prices || []).map((one) => one[lang]));
    list("alternatives", answer.alternatives.map((one) => alternative(answer, one)));
    list("notes", notes(answer));
    answered = answer;
    byId("keep").hidden = !answer.chosen.length;
    drawTable(answer);
    drawCurve(answer);
    drawMap(answer);
  }

  function list(name, texts) {
    const place = byId(name);
    place.hidden = !texts.length;
    place.querySelector("ul").replaceChildren(...texts.map((text) => hatchmap.element("li", text)));
  }

  function alternative(answer, one) {
    const join = lang === "zh" ? "、" : ", ";
    const money = answer.model === "programme";
    const difference = one.difference / (money ? 1e4 : 1);
    return hatchmap.fill(words[money ? "swap_cost" : "swap"], {
      without: one.without.join(join) || "—",
      instead: one.instead.join(join) || "—",
      difference: `${difference > 0 ? "+" : ""}${number(difference)}`,
    });
  }

  function notes(answer) {
    const found = [];
    if (answer.note) found.push(answer.note[lang]);
    for (const town of answer.unreachable || []) {
      found.push(hatchmap.fill(words.unreachable, { town: town.name }));
    }
    for (const one of answer.left_out || []) {
      found.push(hatchmap.fill(words.left_out, { site: one.name, why: one[lang] }));
    }
    for (const one of answer.missing || []) found.push(hatchmap.fill(words.missing, one));
    for (const one of answer.shortages || []) {
      found.push(hatchmap.fill(words.short, { ...one, short: number(one.short_m2) }));
    }
    return found;
  }

  function drawTable(answer) {
    const rows = answer.chosen.map((site, at) => {
      const row = document.createElement("tr");
      const name = hatchmap.element("button", site.name || site.site, "link");
      name.type = "button";
      name.addEventListener("click", () => map.setView([site.lat, site.lon], 14));
      const where = hatchmap.element("th", "");
      where.scope = "row";
      where.append(name, hatchmap.element("small", site.unit || ""), hatchmap.element("p", site.why[lang]));
      const year = site.year ? String(site.year) : "—";
      const adds = hatchmap.element("td", number(site.adds), "num");
      row.append(hatchmap.element("td", String(at + 1)), where, hatchmap.element("td", year), adds);
      return row;
    });
    byId("chosen").hidden = !rows.length;
    byId("table").tBodies[0].replaceChildren(...rows);
    byId("table").classList.toggle("yearless", answer.model !== "programme");
  }

  function svg(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const axis = (value, most) =>
    most >= 1e5 && value ? number(value / 1e4) + words.ten_thousand : number(value, most < 10 ? 1 : 0);

  /** Sites against what they cover; for a programme area reached and needed by year. */
  function drawCurve(answer) {
    const programme = answer.model === "programme";
    const points = answer.curve;
    byId("curve").hidden = !points.length;
    if (!points.length) return;
    const [width, height, left, bottom, top] = [340, 170, 44, 24, 10];
    const values = points.flatMap((one) => (programme ? [one.area_m2, one.need_m2] : [one.covered]));
    const most = Math.max(...values, 1e-9);
    const x = (at) => left + ((at + 0.5) * (width - left - 8)) / points.length;
    const y = (value) => height - bottom - (value / most) * (height - bottom - top);
    const said = points.map((one) => `${programme ? one.year : one.p}: ${number(programme ? one.area_m2 : one.covered)}`).join("; ");
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": said });
    for (const share of [0, 0.5, 1]) {
      drawing.append(
        svg("line", { class: "grid", x1: left, x2: width, y1: y(most * share), y2: y(most * share) }),
        svg("text", { x: left - 4, y: y(most * share) + 3, "text-anchor": "end" }, axis(most * share, most)),
      );
    }
    const step = Math.ceil(points.length / 12);
    points.forEach((one, at) => {
      if (at % step === 0 || points.length <= 12) {
        drawing.append(svg("text", { x: x(at), y: height - 8, "text-anchor": "middle" }, programme ? one.year : one.p));
      }
      if (programme) {
        drawing.append(svg("rect", { class: "column", x: x(at) - 16, y: y(one.area_m2), width: 32, height: height - bottom - y(one.area_m2) }));
      }
    });
    const line = points.map((one, at) => `${x(at)},${y(programme ? one.need_m2 : one.covered)}`).join(" ");
    drawing.append(svg("polyline", { class: "line", points: line }));
    points.forEach((one, at) => {
      const here = !programme && one.p === answer.chosen.length;
      drawing.append(svg("circle", { class: here ? "chosen" : "dot", cx: x(at), cy: y(programme ? one.need_m2 : one.covered), r: here ? 5 : 2.5 }));
    });
    const caption = hatchmap.element("p", programme ? words.curve_years : words.curve_sites, "muted");
    byId("curve").querySelector("div").replaceChildren(drawing, caption);
  }

  function drawMap(answer) {
    pins.clearLayers();
    const chosen = new Map(answer.chosen.map((site, at) => [site.site, { ...site, at: at + 1 }]));
    const places = [];
    for (const site of answer.candidates) {
      if (chosen.has(site.id)) continue;
      const no = site.decision === "forbidden";
      pins.addLayer(L.circleMarker([site.lat, site.lon], {
        radius: 5, weight: 2, color: no ? "#555" : "#6b7a80", fillOpacity: no ? 0.6 : 0.9,
        fillColor: no ? "#bbb" : "#fff", dashArray: no ? "2 2" : null,
      }).bindTooltip(() => hatchmap.element("span", site.name || site.id)));
    }
    for (const site of chosen.values()) {
      const icon = L.divIcon({ className: "", html: `<span class="site-pin">${site.at}</span>`, iconSize: [26, 26] });
      const pin = L.marker([site.lat, site.lon], { icon, zIndexOffset: 1000, riseOnHover: true });
      const text = `${site.at} · ${site.name || site.site}${site.year ? ` · ${site.year}` : ""} · ${site.why[lang]}`;
      pin.bindTooltip(() => hatchmap.element("span", text)).bindPopup(() => hatchmap.element("p", text));
      pin.on("add", () => pin.getElement()?.setAttribute("aria-label", text));
      pins.addLayer(pin);
      places.push([site.lat, site.lon]);
    }
    if (places.length) map.fitBounds(places, { padding: [50, 50], maxZoom: 13, animate: false });
  }

  form.addEventListener("change", arrange);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  byId("stop").addEventListener("click", () => {
    if (run) fetch(`/api/siting/${run}`, { method: "DELETE" });
    else asking?.abort();
  });
  if (recall()) ask();
})();
