// The search page: the address holds the question, the server draws the answer, this puts it in
// place, and keeps list and map in step.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const words = JSON.parse(document.getElementById("find-config").textContent);
  const form = document.getElementById("find-form");
  const part = document.getElementById("find-part");
  const map = hatchmap.view.map;
  const dots = L.layerGroup().addTo(map);
  const drawn = L.layerGroup().addTo(map);
  const byPoint = new Map();
  const compared = new Set();
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
      if (!field.name || field.name === "lang" || field.form !== form) continue;
      if (field.type === "checkbox") field.checked = query.getAll(field.name).includes(field.value);
      else field.value = query.get(field.name) ?? (field.name === "sort" ? "id" : "");
    }
  }

  async function show(url, { push = true, more = false } = {}) {
    asking?.abort();
    asking = new AbortController();
    part.setAttribute("aria-busy", "true");
    const asked = new URL(url, location.href);
    asked.searchParams.set("part", "1");
    try {
      const answer = await fetch(asked, { signal: asking.signal });
      const text = await answer.text();
      if (push) history.pushState(null, "", `${url}${location.hash}`);
      put(text, more);
    } catch (error) {
      if (error.name === "AbortError") return;
      const note = hatchmap.element("p", words.failed, "notice");
      note.setAttribute("role", "alert");
      part.prepend(note);
    }
    part.removeAttribute("aria-busy");
  }

  /** Put the new part in the place of the old; folds and focus stay as they are. */
  function put(text, more) {
    const fresh = new DOMParser().parseFromString(text, "text/html").body;
    const open = new Map([...part.querySelectorAll("details[id]")].map((d) => [d.id, d.open]));
    const active = document.activeElement;
    const back = part.contains(active) && active.name
      ? [active.name, active.value] : null;
    if (more) {
      const first = fresh.querySelector(".space-card");
      document.getElementById("find-list").append(...fresh.querySelectorAll(".space-card"));
      const old = document.getElementById("find-more").parentElement;
      const next = fresh.querySelector("#find-more");
      if (next) old.replaceChildren(next);
      else old.remove();
      first?.focus();
    } else {
      part.replaceChildren(...fresh.childNodes);
      for (const [id, was] of open) {
        const fold = document.getElementById(id);
        if (fold) fold.open = was;
      }
      if (back) {
        [...part.querySelectorAll("input")]
          .find((field) => field.name === back[0] && field.value === back[1])?.focus();
      }
    }
    wire();
  }

  /** Draw the places of the answer, and tie them to the cards. */
  function wire() {
    const places = JSON.parse(document.getElementById("find-places").textContent);
    dots.clearLayers();
    byPoint.clear();
    for (const place of places) {
      const size = 20 + Math.min(14, Math.log2(place.count + 1) * 2.2);
      const icon = L.divIcon({
        className: "find-dot", iconSize: [size, size],
        html: String(place.count > 999 ? `${Math.round(place.count / 1000)}k` : place.count),
      });
      const label = `${place.name} · ${hatchmap.fill(words.count, { count: place.count })}`;
      const dot = L.marker([place.lat, place.lon], { icon, riseOnHover: true, alt: label });
      dot.bindTooltip(() => hatchmap.element("span", label));
      const key = place.point;
      dot.on("mouseover focus", () => light(key, true));
      dot.on("mouseout blur", () => light(key, false));
      dot.on("click", () => {
        document.body.classList.add("panel-open");
        const card = part.querySelector(`[data-point="${key}"]`);
        if (card) {
          card.scrollIntoView({ block: "nearest" });
          card.querySelector("a").focus();
        }
      });
      dot.on("add", () => dot.getElement()?.setAttribute("aria-label", label));
      byPoint.set(key, dot);
      dots.addLayer(dot);
    }
    for (const box of part.querySelectorAll('input[form="compare-form"]')) {
      box.checked = compared.has(box.value);
    }
    counted();
    area();
  }

  function light(key, on) {
    byPoint.get(key)?.getElement()?.classList.toggle("lit", on);
    for (const card of part.querySelectorAll(`[data-point="${key}"]`)) {
      card.classList.toggle("lit", on);
    }
  }

  function counted() {
    document.getElementById("compare-count").textContent = `(${compared.size})`;
    document.getElementById("compare-form").hidden = !compared.size;
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
    const [lon, lat] = form.elements.near.value.split(",").map(Number);
    if (form.elements.near.value && Number.isFinite(lon) && Number.isFinite(lat)) {
      L.circleMarker([lat, lon], { ...style, radius: 8, fillOpacity: 0.9 }).addTo(drawn);
      const radius = Number(form.elements.radius_m.value);
      if (radius > 0) L.circle([lat, lon], { ...style, radius }).addTo(drawn);
    }
  }

  const hint = document.getElementById("find-hint");

  /** A tool that takes clicks on the map; one at a time. */
  function tool(button, said, click, finish) {
    const self = {
      stopPicking() {
        map.off("click", onClick).off("dblclick", onEnd);
        map.doubleClickZoom.enable();
        map.getContainer().classList.remove("picking");
        button.setAttribute("aria-pressed", "false");
        hint.textContent = "";
      },
    };
    const done = () => hatchmap.pick({ stopPicking() {} });
    const onClick = (event) => click(event.latlng, done);
    const onEnd = () => {
      done();
      finish?.();
    };
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-pressed") === "true") {
        onEnd();
        return;
      }
      hatchmap.pick(self);
      document.body.classList.remove("panel-open");
      map.doubleClickZoom.disable();
      map.getContainer().classList.add("picking");
      map.on("click", onClick).on("dblclick", onEnd);
      button.setAttribute("aria-pressed", "true");
      hint.textContent = said;
    });
  }

  const round = (value) => Number(value.toFixed(6));

  tool(document.getElementById("find-pick"), hint.dataset.pick, (place, done) => {
    form.elements.near.value = `${round(place.lng)},${round(place.lat)}`;
    if (!form.elements.minutes.value && !form.elements.radius_m.value) {
      form.elements.minutes.value = "15";
    }
    done();
    show(address());
  });

  let corners = [];
  tool(document.getElementById("find-draw"), hint.dataset.draw, (place) => {
    corners.push([round(place.lng), round(place.lat)]);
    drawn.clearLayers();
    L.polygon(corners.map(([lon, lat]) => [lat, lon]), { color: "#b2481a" }).addTo(drawn);
  }, () => {
    // A double click has also been two clicks.
    const kept = corners.filter((c, i) => !i || c[0] !== corners[i - 1][0] || c[1] !== corners[i - 1][1]);
    corners = [];
    form.elements.polygon.value = kept.length > 2
      ? JSON.stringify({ type: "Polygon", coordinates: [[...kept, kept[0]]] }) : "";
    show(address());
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
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
    if (target.getAttribute("form") === "compare-form" || target.id === "find-follow") return;
    if (["checkbox", "select-one", "date"].includes(target.type)) show(address());
  });
  part.addEventListener("change", (event) => {
    const { target } = event;
    if (target.getAttribute("form") !== "compare-form") return;
    if (target.checked && compared.size >= 4) {
      target.checked = false;
      hint.textContent = words.four;
      return;
    }
    compared[target.checked ? "add" : "delete"](target.value);
    counted();
  });
  part.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-find], .empty a");
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
  document.getElementById("find-follow").addEventListener("change", follow);
  map.on("moveend", follow);

  function follow() {
    const on = document.getElementById("find-follow").checked;
    const b = map.getBounds();
    const box = on
      ? [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()].map((v) => v.toFixed(4)).join(",") : "";
    if (box === form.elements.bbox.value) return;
    form.elements.bbox.value = box;
    show(address(), { push: false });
    history.replaceState(null, "", `${address()}${location.hash}`);
  }

  window.addEventListener("popstate", () => {
    fill(location.href);
    show(location.pathname + location.search, { push: false });
  });
  wire();
  document.documentElement.dataset.findReady = "true";
})();
