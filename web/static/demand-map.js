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
  const round = (value) => Number(value.toFixed(6));
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

  /** A tool that takes clicks, or Enter for the middle of the map; one at a time. */
  function tool(button, { said, take, finish }) {
    const box = map.getContainer();
    const self = {
      stopPicking() {
        map.off("click", onClick).off("dblclick", onEnd);
        box.removeEventListener("keydown", onKey);
        map.doubleClickZoom.enable();
        box.classList.remove("picking", "aiming");
        button.setAttribute("aria-pressed", "false");
      },
    };
    const stop = () => hatchmap.pick({ stopPicking() {} });
    const onClick = (event) => take(event.latlng, stop);
    const onEnd = () => {
      stop();
      finish?.();
    };
    function onKey(event) {
      if (event.key === "Enter" && event.target === box) {
        event.preventDefault();
        take(map.getCenter(), stop);
      } else if (event.key === "Escape") {
        onEnd();
        button.focus();
      }
    }
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-pressed") === "true") {
        onEnd();
        return;
      }
      hatchmap.pick(self);
      map.doubleClickZoom.disable();
      map.on("click", onClick).on("dblclick", onEnd);
      box.addEventListener("keydown", onKey);
      box.classList.add("picking", "aiming");
      button.setAttribute("aria-pressed", "true");
      hint.textContent = said;
      box.focus();
    });
  }

  tool(document.getElementById("pick-place"), {
    said: hint.dataset.pick,
    take(place, stop) {
      near.value = `${round(place.lng)},${round(place.lat)}`;
      polygon.value = "";
      if (!minutes.value) minutes.value = "15";
      stop();
      draw();
      changed(near);
      hint.textContent = hint.dataset.place;
    },
  });

  let corners = [];
  tool(document.getElementById("pick-area"), {
    said: hint.dataset.draw,
    take(place) {
      corners.push([round(place.lng), round(place.lat)]);
      drawn.clearLayers();
      walk.clearLayers();
      L.polygon(corners.map(([lon, lat]) => [lat, lon]), STYLE).addTo(drawn);
      for (const [lon, lat] of corners) L.circleMarker([lat, lon], { ...STYLE, radius: 4, fillOpacity: 1 }).addTo(drawn);
    },
    finish() {
      // A double click has also been two clicks.
      const kept = corners.filter((c, i) => !i || c[0] !== corners[i - 1][0] || c[1] !== corners[i - 1][1]);
      corners = [];
      if (kept.length > 2) {
        polygon.value = JSON.stringify({ type: "Polygon", coordinates: [[...kept, kept[0]]] });
        near.value = "";
        changed(polygon);
      }
      hint.textContent = kept.length > 2 ? hint.dataset.area : hint.dataset.few;
      draw();
    },
  });

  document.getElementById("pick-clear").addEventListener("click", () => {
    for (const field of [near, polygon, minutes]) field.value = "";
    corners = [];
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
