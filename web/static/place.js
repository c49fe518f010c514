// The place of a record on a small map: click, drag, or type. Works without: the fields are enough.
(() => {
  "use strict";
  const box = document.getElementById("place-map");
  const { words, extent, tiles } = JSON.parse(document.getElementById("place-config").textContent);
  const [lon, lat, datum] = ["f-lon", "f-lat", "f-datum"].map((id) => document.getElementById(id));
  const note = document.getElementById("place-note");
  box.hidden = false;
  const map = L.map(box, { attributionControl: Boolean(tiles), maxBounds: [[-90, -360], [90, 360]] });
  if (tiles) for (const url of tiles.urls) L.tileLayer(url, { maxZoom: 18, subdomains: tiles.subdomains, attribution: tiles.attribution }).addTo(map);
  const pin = L.circleMarker([0, 0], { radius: 9, color: "#fff", weight: 2, fillColor: "#b2182b", fillOpacity: 1 });
  const straight = () => datum.value === "wgs84" || datum.value === "cgcs2000";

  /** Show what the fields say; a shifted datum is asked of the server. */
  async function show({ move = true } = {}) {
    const typed = [lon.value, lat.value].map((text) => Number.parseFloat(text));
    const known = typed.every(Number.isFinite) && Math.abs(typed[1]) <= 90 && Math.abs(typed[0]) <= 180;
    if (!known) {
      pin.remove();
      say(words.none);
      return;
    }
    let place = typed;
    if (!straight()) {
      const query = new URLSearchParams({ lon: typed[0], lat: typed[1], datum: datum.value });
      const answer = await fetch(`/api/records/place?${query}`);
      if (!answer.ok) return;
      const found = await answer.json();
      place = [found.lon, found.lat];
      say(words.shifted);
    } else say("");
    pin.setLatLng([place[1], place[0]]).addTo(map);
    if (move) map.setView([place[1], place[0]], Math.max(map.getZoom() || 0, 15));
  }

  function say(text) {
    note.textContent = text;
    note.hidden = !text;
  }

  /** Take a place from the map: always in WGS-84. */
  function take(place) {
    lon.value = L.Util.wrapNum(place.lng, [-180, 180], true).toFixed(6);
    lat.value = place.lat.toFixed(6);
    if (!straight()) datum.value = "wgs84";
    show({ move: false });
  }

  map.on("click", (event) => take(event.latlng));
  pin.on("mousedown", (event) => {
    L.DomEvent.stop(event);
    map.dragging.disable();
    const follow = (moved) => pin.setLatLng(moved.latlng);
    map.on("mousemove", follow);
    map.once("mouseup", (end) => {
      map.off("mousemove", follow);
      map.dragging.enable();
      take(end.latlng);
    });
  });
  for (const field of [lon, lat, datum]) field.addEventListener("change", () => show());
  map.fitBounds([[extent[1], extent[0]], [extent[3], extent[2]]]);
  show();
  // What is there already helps to find the place.
  fetch("/api/map/incubators.geojson")
    .then((answer) => answer.json())
    .then((found) => {
      const draw = (feature, at) =>
        L.circleMarker(at, { radius: 4, color: "#fff", weight: 1, fillColor: "#2f7ba8", fillOpacity: 0.9 })
          .bindTooltip(document.createTextNode(feature.properties.name || feature.id));
      L.geoJSON(found, { pointToLayer: draw }).addTo(map);
      pin.bringToFront();
    })
    .catch(() => {});
  fetch("/api/map/reporting_units.geojson")
    .then((answer) => answer.json())
    .then((units) => {
      const lines = L.geoJSON(units, { style: { color: "#52636b", weight: 1.5, fillColor: "#fff", fillOpacity: tiles ? 0 : 0.6 }, interactive: false }).addTo(map);
      lines.bringToBack();
    })
    .catch(() => {});
})();
