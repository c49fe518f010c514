// The search page: the address holds the question, the server draws the answer, this puts it in
// place, and keeps list and map in step.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const words = JSON.parse(document.getElementById("find-config").textContent);
  const WAIT_MS = 30_000;
  const form = document.getElementById("find-form");
  const part = document.getElementById("find-part");
  const panel = document.getElementById("panel");
  const filters = document.getElementById("find-filters");
  const map = hatchmap.view.map;
  const phone = matchMedia("(max-width: 760px)");
  const dots = L.layerGroup().addTo(map);
  const drawn = L.layerGroup().addTo(map);
  const byPoint = new Map();
  const compared = new Set();
  const NEAR_PX = 34; // dots nearer than this lie over each other
  let places = [];
  let asking = null;

  /** The question that the form holds, as an address. */
  function address() {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (value !== "" && !(name === "sort" && value === "id")) query.append(name, value);
    }
    return `/find?${query}`;
  }

  /** Set the fields of the form to those of an address. */
  function fill(url) {
    const query = new URL(url, location.href).searchParams;
    for (const field of form.elements) {
      if (!field.name || ["lang", "scenario"].includes(field.name) || field.form !== form) continue;
      if (field.name === "must") {
        // The minutes of a must may have changed.
        const key = field.value.split(":")[0];
        const asked = query.getAll("must").find((value) => value.split(":")[0] === key);
        field.checked = Boolean(asked);
        if (asked) field.value = asked;
      } else if (field.type === "checkbox") {
        field.checked = query.getAll(field.name).includes(field.value);
      } else field.value = query.get(field.name) ?? (field.name === "sort" ? "id" : "");
    }
  }

  /** Ask the server for an address; nothing when another question has come since. */
  async function ask(url) {
    asking?.abort();
    const mine = (asking = new AbortController());
    const late = setTimeout(() => mine.abort("late"), WAIT_MS);
    const asked = new URL(url, location.href);
    asked.searchParams.set("part", "1");
    try {
      const answer = await fetch(asked, { signal: mine.signal });
      if (!answer.ok) {
        const { status } = answer;
        throw new Error(status === 429 ? words.busy : hatchmap.fill(words.server, { status }));
      }
      return new DOMParser().parseFromString(await answer.text(), "text/html").body;
    } catch (error) {
      if (mine !== asking) return null;
      if (mine.signal.aborted) throw new Error(words.slow);
      if (!(error instanceof TypeError)) throw error;
      throw new Error(navigator.onLine ? words.failed : words.offline);
    } finally {
      clearTimeout(late);
    }
  }

  async function show(url, { push = true, more = false } = {}) {
    busy(true);
    try {
      const fresh = await ask(url);
      if (!fresh) return;
      failed(null);
      if (push) history.pushState(null, "", `${url}${location.hash}`);
      keepSwitch();
      if (more) add(fresh);
      else put(fresh);
    } catch (error) {
      failed(error, () => show(url, { push, more }));
    }
    busy(false);
  }

  /** The switch of the language leads to this very question. */
  function keepSwitch() {
    const link = document.querySelector("a[data-keep-view]");
    const url = new URL(location.href);
    url.searchParams.set("lang", link.hreflang);
    url.hash = url.hash.replace(/lang=\w+/, `lang=${link.hreflang}`);
    link.href = url.href;
  }

  let slow = 0;
  function busy(on) {
    const said = document.getElementById("find-busy");
    clearTimeout(slow);
    if (on) {
      part.setAttribute("aria-busy", "true");
      // What takes a moment only would flicker.
      slow = setTimeout(() => (said.textContent = said.dataset.text), 200);
    } else {
      part.removeAttribute("aria-busy");
      said.textContent = "";
    }
  }

  /** Say what went wrong, with a way to try again; what was found before stays. */
  let again = null;
  function failed(error, retry = null) {
    const note = document.getElementById("find-error");
    again = retry;
    note.hidden = !error;
    note.querySelector("p").textContent = error?.message ?? "";
    part.classList.toggle("stale", Boolean(error));
  }
  document.querySelector("#find-error button").addEventListener("click", () => again?.());
  window.addEventListener("online", () => again?.());

  /** Put the new parts in the place of the old; folds and focus stay as they are. */
  function put(fresh) {
    const open = new Map([...form.querySelectorAll("details[id]")].map((d) => [d.id, d.open]));
    const active = document.activeElement;
    const held = form.contains(active) ? [active.name, active.value, active.dataset.drop] : [];
    for (const one of fresh.children) {
      document.getElementById(one.id)?.replaceChildren(...one.childNodes);
    }
    for (const [id, was] of open) {
      const fold = document.getElementById(id);
      if (fold) fold.open = was;
    }
    if (!active.isConnected) {
      const [name, value, chip] = held;
      const field = name && [...form.querySelectorAll("#find-facets input")]
        .find((one) => one.name === name && one.value === value);
      const next = chip !== undefined && part.querySelector(".chips a");
      (field || next || document.getElementById("find-filters").querySelector("summary")).focus();
    }
    wire();
  }

  /** Put the next page under what is shown, and go on from its first space. */
  function add(fresh) {
    const cards = [...fresh.querySelectorAll(".space-card")];
    document.getElementById("find-list").append(...cards);
    const pager = fresh.querySelector("#find-pager");
    const { last, total } = pager.dataset;
    const shown = { first: 1, last: Number(last).toLocaleString("en"), total: Number(total).toLocaleString("en") };
    pager.querySelector("#find-range").textContent = hatchmap.fill(words.range, shown);
    document.getElementById("find-pager").replaceWith(pager);
    cards[0]?.focus({ preventScroll: true });
    tick();
  }

  /** Tie the new part to the map and the form. */
  function wire() {
    places = JSON.parse(document.getElementById("find-places").textContent);
    mark();
    const { minutes, sort } = form.elements;
    const byWalk = sort.querySelector("[data-needs=minutes]");
    byWalk.hidden = byWalk.disabled = !minutes.value;
    tick();
    faults();
    area();
  }

  /** The places by dot: those that would lie over each other at this zoom share one. */
  function gather() {
    const size = map.getZoom() >= map.getMaxZoom() - 1 ? 0 : NEAR_PX;
    const cells = new Map();
    for (const place of places) {
      const at = map.project([place.lat, place.lon]);
      const cell = size ? `${Math.floor(at.x / size)},${Math.floor(at.y / size)}` : place.point;
      if (!cells.has(cell)) cells.set(cell, []);
      cells.get(cell).push(place);
    }
    return cells.values();
  }

  /** Draw the dots; the fullest place of each says where it stands. */
  function mark() {
    dots.clearLayers();
    byPoint.clear();
    for (const held of gather()) {
      const [first] = held;
      const count = held.reduce((sum, place) => sum + place.count, 0);
      const size = 22 + Math.min(16, Math.log2(count + 1) * 2.2);
      const icon = L.divIcon({
        className: held.length > 1 ? "find-dot several" : "find-dot", iconSize: [size, size],
        html: String(count > 999 ? `${Math.round(count / 1000)}k` : count),
      });
      const spaces = hatchmap.fill(words.at_place, { count });
      const name = held.length > 1
        ? hatchmap.fill(words.at_places, { places: held.length }) : first.name;
      const label = `${name} · ${spaces}`;
      const dot = L.marker([first.lat, first.lon], { icon, riseOnHover: true, alt: label });
      dot.bindTooltip(() => hatchmap.element("span", label));
      const lit = (on) => held.forEach((place) => light(place.point, on));
      dot.on("mouseover focus", () => lit(true));
      dot.on("mouseout blur", () => lit(false));
      const open = () => {
        if (held.length === 1) reveal(dot, first.point, label);
        else map.fitBounds(held.map((place) => [place.lat, place.lon]), { padding: [60, 60], maxZoom: map.getMaxZoom() });
      };
      dot.on("click", open);
      // Leaflet opens only pop-ups by keys.
      dot.on("keypress", ({ originalEvent }) => originalEvent.key === "Enter" && open());
      dot.on("add", () => dot.getElement()?.setAttribute("aria-label", label));
      for (const place of held) byPoint.set(place.point, dot);
      dots.addLayer(dot);
    }
  }
  map.on("zoomend", mark);

  /** Go to the first card of a place; where the list has not come so far, offer its spaces alone. */
  function reveal(dot, key, label) {
    const card = part.querySelector(`[data-point="${key}"]`);
    if (card) {
      look("list");
      card.scrollIntoView({ block: "nearest" });
      card.querySelector("a").focus();
      return;
    }
    const box = hatchmap.element("div", null, "popup");
    const button = hatchmap.element("button", words.only_here);
    button.type = "button";
    button.addEventListener("click", () => {
      map.closePopup();
      Object.assign(form.elements.near, { value: key });
      Object.assign(form.elements.radius_m, { value: "50" });
      form.elements.minutes.value = "";
      look("list");
      show(address());
    });
    box.append(hatchmap.element("p", label), button);
    L.popup().setLatLng(dot.getLatLng()).setContent(box).openOn(map);
  }

  function light(key, on) {
    byPoint.get(key)?.getElement()?.classList.toggle("lit", on);
    for (const card of part.querySelectorAll(`[data-point="${key}"]`)) {
      card.classList.toggle("lit", on);
    }
  }

  function tick() {
    for (const box of part.querySelectorAll('input[form="compare-form"]')) {
      box.checked = compared.has(box.value);
    }
    document.getElementById("compare-count").textContent = `(${compared.size})`;
    document.getElementById("compare-form").hidden = !compared.size;
  }

  /** Put what is wrong beside its field. */
  function faults() {
    for (const old of form.querySelectorAll(".fault")) old.remove();
    for (const field of form.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    for (const said of part.querySelectorAll("[data-fault]")) {
      const name = said.dataset.fault;
      const place = form.querySelector(`[data-field~="${CSS.escape(name)}"]`);
      if (!place) continue;
      const note = hatchmap.element("p", said.dataset.text, "fault");
      note.id = `fault-${name}`;
      place.after(note);
      const field = place.querySelector(`[name="${CSS.escape(name)}"]`) || place.querySelector("input");
      field?.setAttribute("aria-invalid", "true");
      field?.setAttribute("aria-describedby", note.id);
      for (let fold = note.closest("details"); fold; fold = fold.parentElement.closest("details")) {
        if (!(fold === filters && phone.matches)) fold.open = true;
      }
    }
  }

  /** Draw the area and the place that are asked for. */
  function area() {
    drawn.clearLayers();
    const style = { color: "#b2481a", weight: 2, fillOpacity: 0.06, interactive: false };
    const text = form.elements.polygon.value;
    if (text) {
      try {
        L.geoJSON(JSON.parse(text), { style }).addTo(drawn);
      } catch {
        // The server says what is wrong with it.
      }
    }
    const [west, south, east, north] = form.elements.bbox.value.split(",").map(Number);
    if (Number.isFinite(north) && !following.checked) {
      L.rectangle([[south, west], [north, east]], style).addTo(drawn);
    }
    const [lon, lat] = form.elements.near.value.split(",").map(Number);
    if (form.elements.near.value && Number.isFinite(lon) && Number.isFinite(lat)) {
      L.circleMarker([lat, lon], { ...style, radius: 8, fillOpacity: 0.9 }).addTo(drawn);
      const radius = Number(form.elements.radius_m.value);
      if (radius > 0) L.circle([lat, lon], { ...style, radius }).addTo(drawn);
    }
  }

  /** On a phone the list and the map take turns. */
  function look(view) {
    document.body.classList.toggle("panel-open", view === "list");
    for (const button of form.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === view));
    }
    if (phone.matches) filters.open = false;
    map.invalidateSize();
  }
  for (const button of form.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => look(button.dataset.view));
  }

  const bar = document.querySelector("#draw-bar p");
  const say = (text) => (bar.textContent = text);
  const start = () => look("map");
  hatchmap.draw.tool(map, document.getElementById("find-pick"), {
    said: words.pick_hint, say, start,
    place(at, stop) {
      form.elements.near.value = `${hatchmap.draw.round(at.lng)},${hatchmap.draw.round(at.lat)}`;
      if (!form.elements.minutes.value && !form.elements.radius_m.value) {
        form.elements.minutes.value = "15";
      }
      stop();
      show(address());
    },
  });
  hatchmap.draw.area(map, document.getElementById("find-draw"), {
    said: words.draw_hint, words, say, start, layer: drawn, style: { color: "#b2481a" },
    done(ring) {
      form.elements.polygon.value = JSON.stringify({ type: "Polygon", coordinates: [ring] });
      show(address());
    },
    cancel: area,
  });

  const following = document.getElementById("find-follow");
  function box() {
    const b = map.getBounds();
    return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((v) => v.toFixed(4)).join(",");
  }
  document.getElementById("find-view").addEventListener("click", () => {
    form.elements.bbox.value = box();
    show(address());
  });
  async function follow() {
    if (!following.checked || form.elements.bbox.value === box()) return;
    form.elements.bbox.value = box();
    await show(address(), { push: false });
    history.replaceState(null, "", `${address()}${location.hash}`);
    keepSwitch();
  }
  following.addEventListener("change", () => {
    if (following.checked) follow();
    else {
      form.elements.bbox.value = "";
      show(address());
    }
  });
  map.on("moveend", follow);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (phone.matches) filters.open = false;
    show(address());
  });
  let typing = 0;
  form.addEventListener("input", (event) => {
    if (!["search", "number", "text"].includes(event.target.type)) return;
    clearTimeout(typing);
    typing = setTimeout(() => show(address()), 350);
  });
  form.addEventListener("change", (event) => {
    const { target } = event;
    if (target.getAttribute("form") === "compare-form" || target === following) return;
    if (["checkbox", "select-one", "date"].includes(target.type)) show(address());
  });
  part.addEventListener("change", (event) => {
    const { target } = event;
    if (target.getAttribute("form") !== "compare-form") return;
    const full = target.checked && compared.size >= 4;
    document.getElementById("compare-full").textContent = full ? words.four : "";
    if (full) target.checked = false;
    else compared[target.checked ? "add" : "delete"](target.value);
    tick();
  });
  part.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-find]");
    if (!link || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    if (link.id === "find-more") {
      show(link.href, { push: false, more: true });
      return;
    }
    fill(link.href);
    show(link.getAttribute("href"));
  });
  for (const [event, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    part.addEventListener(event, ({ target }) => {
      const card = target.closest?.(".space-card");
      if (card) light(card.dataset.point, on);
    });
  }

  // On a phone the filters lie over everything: Escape and leaving close them.
  filters.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !filters.open) return;
    filters.open = false;
    filters.querySelector("summary").focus();
  });
  document.addEventListener("focusin", ({ target }) => {
    if (phone.matches && filters.open && !filters.contains(target)) filters.open = false;
  });

  window.addEventListener("popstate", () => {
    fill(location.href);
    show(location.pathname + location.search, { push: false });
  });

  // Back from a space: as many pages as were shown, at the height where one was.
  const KEY = "hatchmap-find";
  window.addEventListener("pagehide", () => {
    const shown = part.querySelectorAll(".space-card").length;
    const left = { at: location.search, shown, top: panel.scrollTop };
    sessionStorage.setItem(KEY, JSON.stringify(left));
  });
  async function restore() {
    const [came] = performance.getEntriesByType("navigation");
    const left = JSON.parse(sessionStorage.getItem(KEY) || "{}");
    if (came?.type !== "back_forward" || left.at !== location.search) return;
    const { shown, top } = left;
    for (let more; part.querySelectorAll(".space-card").length < shown; ) {
      more = document.getElementById("find-more");
      if (!more) break;
      await show(more.href, { push: false, more: true });
      if (again) return;
    }
    panel.scrollTop = top;
  }

  look("list");
  wire();
  restore().then(() => (document.documentElement.dataset.findReady = "true"));
})();
