// Placing: an incubator, a project, an amenity and the like by a click, by keyboard or by coordinates.
(() => {
  "use strict";
  const { editor } = window.hatchmap;
  const { config, words, map, $, show, save, tryOut } = editor;
  let pending = null; // the marker or line being placed

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
    for (const name of ["name", "town", "area_m2", "opened_on", "year", "category", "status", "incubator", "capacity_m2"]) take(name);
    take("project_status", "status");
    take("space_status", "status");
    if (form.elements.lead_industries.value && !form.elements.lead_industries.closest("[hidden]")) {
      values.lead_industries = [form.elements.lead_industries.value];
    }
    if (layer() === "streets") values.foot = "both";
    if (layer() === "incubators" && !["operating", "rectifying"].includes(values.status)) delete values.opened_on;
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

  function pinAt(latlng) {
    if (layer() === "streets") {
      if (!pending?.addLatLng) {
        clearPending();
        pending = L.polyline([], { color: "#762a83", weight: 5 }).addTo(map);
      }
      pending.addLatLng(latlng);
      if (pending.getLatLngs().length >= 2) tryOut(placed());
      return;
    }
    setPoint(latlng);
    editor.stopPicking();
    document.body.classList.add("panel-open");
    tryOut(placed());
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
      tryOut(placed());
    });
  }

  function clearPending() {
    pending?.remove();
    pending = null;
    editor.zones.clearLayers();
  }

  function endPlacing() {
    editor.stopPicking();
    clearPending();
    form.elements.lon.value = form.elements.lat.value = form.elements.town.value = "";
    $("trial").hidden = true;
  }

  if (form) {
    $("pick").addEventListener("click", () => {
      if ($("pick").getAttribute("aria-pressed") === "true") return editor.stopPicking();
      if (layer() === "streets") clearPending();
      editor.pick(pinAt);
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
      tryOut(placed());
    });
    $("try").addEventListener("click", () => tryOut(placed()));
    $("centre").addEventListener("click", () => {
      if (layer() !== "streets") editor.stopPicking();
      pinAt(map.getCenter());
      show("scenario-said", layer() === "streets" ? words.corner_added : words.centre_taken);
    });
    form.querySelector(".cancel").addEventListener("click", endPlacing);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const change = placed();
      if (!change) return show("scenario-problem", words.click);
      if (await save([change])) endPlacing();
    });
    arrange();
  }
})();
