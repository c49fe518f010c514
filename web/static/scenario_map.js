// The map of the editor: what a scenario changes on it, towns won and lost, and taking clicks.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const { editor, element, fill } = hatchmap;
  const { config, words, map, $ } = editor;
  const drawn = L.layerGroup().addTo(map);

  const zones = L.geoJSON(null, {
    interactive: false,
    style: () => ({ color: "#762a83", weight: 1.5, fillOpacity: 0.08 }),
  }).addTo(map);

  function mark(kind, sign, at, text) {
    const icon = L.divIcon({ className: "", html: `<span class="mark mark-${kind}">${sign}</span>`, iconSize: [22, 22] });
    const marker = L.marker(at, { icon, keyboard: false, zIndexOffset: 800 }).addTo(drawn);
    marker.bindTooltip(element("span", text));
    return marker;
  }

  function draw() {
    drawn.clearLayers();
    for (const change of editor.report.net) {
      const shape = change.after.geometry || change.before.geometry;
      if (!shape) continue;
      if (shape.type !== "Point") {
        L.geoJSON(shape, { interactive: false, style: { color: "#762a83", weight: 5 } }).addTo(drawn);
        continue;
      }
      const [lon, lat] = shape.coordinates;
      const kind = { insert: "added", update: "changed", delete: "removed" }[change.action];
      mark(kind, { insert: "＋", update: "✎", delete: "−" }[change.action], [lat, lon], editor.title(change));
      if (change.action === "update" && change.after.geometry && change.before.geometry?.type === "Point") {
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

  Object.assign(editor, { zones, draw, drawTowns, pick, stopPicking: () => tool.stopPicking() });
})();
