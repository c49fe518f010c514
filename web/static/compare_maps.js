// Scenarios side by side: towns and incubators of each state, and only what differs between them.
(() => {
  "use strict";
  const hatchmap = window.hatchmap;
  const config = JSON.parse(document.getElementById("compare-config").textContent);

  function fit(map, extent) {
    const [west, south, east, north] = extent;
    map.fitBounds([[south, west], [north, east]]);
    return map;
  }

  /** The outlines of the units, behind everything. */
  let outlines = null;
  function ground(map) {
    map.createPane("ground").style.zIndex = 350; // under everything else
    outlines ??= fetch("/api/map/reporting_units.geojson").then((answer) => answer.json());
    outlines.then((data) => {
      L.geoJSON(data, {
        interactive: false, pane: "ground",
        style: () => ({ color: "#37474f", weight: 1, fillColor: "#eceff1", fillOpacity: 0.6 }),
      }).addTo(map);
    }).catch(() => {}); // the towns stand without them
  }

  function mark(map, kind, sign, at, text, key) {
    const span = hatchmap.element("span", sign, `mark mark-${kind}`);
    const icon = L.divIcon({ className: "", html: span, iconSize: [22, 22] });
    const marker = L.marker(at, { icon, keyboard: false }).addTo(map);
    marker.bindTooltip(hatchmap.element("span", text));
    if (key) marker.getElement().dataset.key = key;
  }

  function town(map, row) {
    const state = hatchmap.STATES[row.state];
    const span = hatchmap.element("span", state ? state.mark : "?");
    span.style.background = state ? state.ink : "#555";
    const icon = L.divIcon({ className: "town-mark", html: span, iconSize: [20, 20] });
    const marker = L.marker([row.lat, row.lon], { icon, keyboard: false }).addTo(map);
    marker.bindTooltip(hatchmap.element("span", `${row.name} · ${config.stateLabels[row.state] || ""}`));
    marker.getElement().dataset.state = row.state;
    marker.getElement().dataset.code = row.code;
  }

  function incubator(map, row) {
    const { fill, stroke } = hatchmap.STATUSES[row.status] || hatchmap.STATUSES.planned;
    L.circleMarker([row.lat, row.lon], {
      renderer: map._incubators ??= L.canvas(), radius: 3.5, weight: 1, color: stroke === "#fff" ? "#0d4534" : stroke,
      fillColor: fill, fillOpacity: 0.9,
    }).bindTooltip(hatchmap.element("span", row.name || row.id)).addTo(map);
  }

  function all(maps, extent) {
    maps.forEach((map, place) => {
      const state = config.states[place];
      ground(map);
      for (const row of state.incubators) if (row.lat != null) incubator(map, row);
      for (const row of state.towns) if (row.lat != null) town(map, row);
      fit(map, extent);
    });
    document.documentElement.dataset.compareReady = "true";
  }

  function differences([map], extent) {
    const { towns, incubators } = config.differences;
    ground(map);
    fit(map, extent);
    for (const row of incubators) {
      if (row.lat == null) continue;
      const said = row.changes.map((key) => config.changes[key]).join("、");
      mark(map, row.changes[0], config.marks[row.changes[0]], [row.lat, row.lon], `${row.name || row.id} · ${said}`, row.id);
    }
    for (const row of towns) {
      if (row.lat == null) continue;
      mark(map, row.change, config.marks[row.change], [row.lat, row.lon], `${row.name} · ${config.changes[row.change]}`, row.code);
    }
  }

  hatchmap.compare = { all, differences };
})();
