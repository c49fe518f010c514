// Drawing parts of the structure: outlines, cuts through them, names and roles; the form holds them.
(() => {
  "use strict";
  const hatchmap = (window.hatchmap = window.hatchmap || {});

  hatchmap.editStructure = (map, { outlines, extent, roles, words }) => {
    const [west, south, east, north] = extent;
    map.fitBounds([[south, west], [north, east]], { padding: [8, 8], animate: false });
    map.doubleClickZoom.disable();
    L.geoJSON(outlines, { interactive: false, style: { color: "#37474f", weight: 1, fillOpacity: 0.05 } }).addTo(map);

    const field = document.getElementById("drawn");
    const body = document.querySelector("#drawn-table tbody");
    const status = document.getElementById("draw-status");
    const buttons = Object.fromEntries(
      [...document.querySelectorAll("[data-tool]")].map((button) => [button.dataset.tool, button]));
    const shown = L.layerGroup().addTo(map);
    const draft = L.layerGroup().addTo(map);
    let features = [];
    let tool = "";
    let corners = [];
    let target = 0;

    const say = (text) => { status.textContent = text; };
    const colourOf = (role) => (roles.find((one) => one.key === role) || { colour: "#999999" }).colour;

    function read() {
      try {
        features = JSON.parse(field.value || '{"features":[]}').features || [];
      } catch {
        say(words.no_geojson);
      }
    }

    function write() {
      field.value = JSON.stringify({ type: "FeatureCollection", features });
      draw();
    }

    function cell(row, ...nodes) {
      const made = document.createElement("td");
      made.append(...nodes);
      row.append(made);
    }

    function button(text, act) {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = text;
      made.addEventListener("click", act);
      return made;
    }

    /** Show every outline with corners to drag, and its row with name and role. */
    function draw() {
      shown.clearLayers();
      body.replaceChildren();
      features.forEach((feature, at) => {
        const area = L.geoJSON(feature, {
          style: { color: colourOf(feature.properties.role), weight: 3, fillOpacity: 0.3 },
        }).addTo(shown);
        const tip = document.createElement("span");
        tip.textContent = feature.properties.name || `${at + 1}`;
        area.bindTooltip(tip, { permanent: true, direction: "center", className: "share-label" });
        area.on("click", () => { target = at; say(words.chosen.replace("{name}", tip.textContent)); });
        if (feature.geometry.type === "Polygon") drawCorners(feature);
        const row = document.createElement("tr");
        const name = document.createElement("input");
        Object.assign(name, { type: "text", value: feature.properties.name || "", maxLength: 200 });
        name.setAttribute("aria-label", words.name);
        name.addEventListener("change", () => { feature.properties.name = name.value; write(); });
        const role = document.createElement("select");
        role.setAttribute("aria-label", words.role);
        for (const one of roles) role.append(new Option(one.label, one.key, false, one.key === feature.properties.role));
        role.addEventListener("change", () => { feature.properties.role = role.value; write(); });
        cell(row, name);
        cell(row, role);
        cell(row, button(words.cut, () => begin("split", at)), " ",
          button(words.remove, () => { features.splice(at, 1); write(); }));
        body.append(row);
      });
    }

    function drawCorners(feature) {
      const ring = feature.geometry.coordinates[0];
      ring.slice(0, -1).forEach(([lon, lat], at) => {
        const icon = L.divIcon({ className: "corner", iconSize: [12, 12] });
        const corner = L.marker([lat, lon], { icon, draggable: true, keyboard: false }).addTo(shown);
        corner.on("dragend", () => {
          const { lat: y, lng: x } = corner.getLatLng();
          ring[at] = [x, y];
          if (at === 0) ring[ring.length - 1] = [x, y];
          write();
        });
      });
    }

    function begin(kind, at = target) {
      if (kind === "split" && !features[at]) { say(words.nothing); return; }
      [tool, corners, target] = [kind, [], at];
      map.getContainer().classList.add("picking");
      buttons.finish.disabled = buttons.cancel.disabled = false;
      say(kind === "draw" ? words.draw : words.split.replace("{name}", features[at].properties.name || `${at + 1}`));
    }

    function end() {
      [tool, corners] = ["", []];
      draft.clearLayers();
      map.getContainer().classList.remove("picking");
      buttons.finish.disabled = buttons.cancel.disabled = true;
    }

    function redraw() {
      draft.clearLayers();
      const line = tool === "draw" && corners.length > 2 ? L.polygon(corners) : L.polyline(corners);
      line.setStyle({ color: "#b30000", dashArray: "5 4" }).addTo(draft);
      for (const corner of corners) L.circleMarker(corner, { radius: 4, color: "#b30000" }).addTo(draft);
    }

    async function finish() {
      const points = corners.map(({ lat, lng }) => [lng, lat]);
      if (tool === "draw") {
        if (points.length < 3) { say(words.three); return; }
        const properties = { name: `${words.part} ${features.length + 1}`, role: roles[0]?.key || "" };
        features.push({ type: "Feature", properties, geometry: { type: "Polygon", coordinates: [[...points, points[0]]] } });
      } else {
        if (points.length < 2) { say(words.two); return; }
        const whole = features[target];
        const answer = await fetch("/api/structure/split", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ geometry: whole.geometry, line: { type: "LineString", coordinates: points } }),
        });
        const found = await answer.json();
        if (!answer.ok) { say(found.detail || words.failed); return; }
        const pieces = found.features.map((piece, at) => ({
          ...piece, properties: { ...whole.properties, name: `${whole.properties.name} ${at + 1}` },
        }));
        features.splice(target, 1, ...pieces);
      }
      end();
      write();
      say(words.done);
    }

    map.on("click", ({ latlng }) => { if (tool) { corners.push(latlng); redraw(); } });
    map.on("dblclick", () => { if (tool) finish(); });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && tool) { end(); say(""); } });
    buttons.draw.addEventListener("click", () => begin("draw"));
    buttons.split.addEventListener("click", () => begin("split"));
    buttons.finish.addEventListener("click", finish);
    buttons.cancel.addEventListener("click", () => { end(); say(""); });
    field.addEventListener("change", () => { read(); draw(); });
    read();
    draw();
    document.documentElement.dataset.structureReady = "true";
  };
})();
