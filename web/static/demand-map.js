// The place of a need on the map: a point with the walk around it, or a drawn area; also by keys.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const { map } = hatchmap.view;
  const form = document.getElementById("demand-form");
  const hint = document.getElementById("map-hint");
  const STYLE = { color: "#b2481a", weight: 2, fillOpacity: 0.12, interactive: false };
  const drawn = L.layerGroup().addTo(map);
  const walk = L.geoJSON(null, { style: { ...STYLE, color: "#006d2c" } }).addTo(map);
  const { round } = hatchmap.draw;
  const { near, polygon, minutes } = form.elements;
  let asking = null;

  function changed(field) {
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Draw what the fields say. */
  function draw({ look = false } = {}) {
    drawn.clearLayers();
    walk.clearLayers();
    const [lon, lat] = near.value.split(/[,，]/).map(Number);
    if (near.value && Math.abs(lon) <= 180 && Math.abs(lat) <= 90) {
      L.circleMarker([lat, lon], { ...STYLE, radius: 8, fillOpacity: 0.9 }).addTo(drawn);
      if (look) map.setView([lat, lon], Math.max(map.getZoom(), 13), { animate: false });
      reach(lon, lat);
    }
    if (polygon.value) {
      try {
        const area = L.geoJSON(JSON.parse(polygon.value), { style: STYLE }).addTo(drawn);
        if (look) map.fitBounds(area.getBounds().pad(0.4), { animate: false });
      } catch {
        // The server says what is wrong with it.
      }
    }
  }

  /** Draw how far one gets on foot. */
  async function reach(lon, lat) {
    asking?.abort();
    asking = new AbortController();
    const limit = Number(minutes.value || 15);
    if (!(limit > 0 && limit <= 60)) return;
    const query = new URLSearchParams({ lon, lat, minutes: limit });
    try {
      const answer = await fetch(`/api/reach?${query}`, { signal: asking.signal });
      if (answer.ok) walk.clearLayers().addData(await answer.json());
    } catch {
      // The place alone will do.
    }
  }

  const say = (text) => (hint.textContent = text);

  hatchmap.draw.tool(map, document.getElementById("pick-place"), {
    said: hint.dataset.pick, say,
    place(at, stop) {
      near.value = `${round(at.lng)},${round(at.lat)}`;
      polygon.value = "";
      if (!minutes.value) minutes.value = "15";
      stop();
      draw();
      changed(near);
      say(hint.dataset.place);
    },
  });

  hatchmap.draw.area(map, document.getElementById("pick-area"), {
    said: hint.dataset.draw, say, layer: drawn, style: STYLE,
    words: { few: hint.dataset.few, corners: hint.dataset.corners },
    start: () => walk.clearLayers(),
    done(ring) {
      polygon.value = JSON.stringify({ type: "Polygon", coordinates: [ring] });
      near.value = "";
      changed(polygon);
      draw();
      say(hint.dataset.area);
    },
    cancel: draw,
  });

  document.getElementById("pick-clear").addEventListener("click", () => {
    for (const field of [near, polygon, minutes]) field.value = "";
    draw();
    changed(near);
    hint.textContent = hint.dataset.clear;
  });
  for (const field of [near, polygon, minutes]) field.addEventListener("change", () => draw({ look: true }));
  form.addEventListener("restored", () => draw({ look: true }));

  document.querySelector(".map-tools").hidden = false;
  draw({ look: true });
  document.documentElement.dataset.placeReady = "true";
})();
