// The board: a map whose colours and figures follow a slider over the years, and forms that go at once.
(() => {
  "use strict";
  const hatchmap = (window.hatchmap = window.hatchmap || {});

  /** Draw areas for each year; the slider stands in the page, so that it works without the map too. */
  hatchmap.timeSlider = (map, { data, styles, times, labels, years, extent, start }) => {
    const [west, south, east, north] = extent;
    map.fitBounds([[south, west], [north, east]], { padding: [8, 8], animate: false });
    map.scrollWheelZoom.disable(); // the page scrolls over the map
    const slider = document.getElementById("board-year");
    const shown = document.getElementById("board-year-shown");
    const label = (feature, at) =>
      hatchmap.boardLabel(feature.properties.name, labels[feature.id][at]);

    const tips = new Map();
    const layer = L.geoJSON(data, {
      onEachFeature: (feature) => {
        const tip = L.tooltip({ permanent: true, direction: "center", className: "share-label" });
        tips.set(feature.id, tip.setLatLng(feature.properties.at).setContent(label(feature, start)).addTo(map));
      },
    }).addTo(map);

    function show(at) {
      layer.eachLayer((area) => {
        const style = styles[area.feature.id][times[at]];
        const unknown = labels[area.feature.id][at] === "—";
        area.setStyle({
          color: "#37474f", weight: 1, dashArray: unknown ? "4 4" : null,
          fillColor: style.color, fillOpacity: style.opacity,
        });
        tips.get(area.feature.id).setContent(label(area.feature, at));
      });
      if (shown) shown.textContent = years[at];
      for (const cell of document.querySelectorAll("[data-year-column]")) {
        cell.classList.toggle("current", Number(cell.dataset.yearColumn) === years[at]);
      }
      document.documentElement.dataset.boardYear = years[at];
    }

    slider?.addEventListener("input", () => show(Number(slider.value)));
    show(slider ? Number(slider.value) : start);
    return layer;
  };

  /** A name over a figure, as nodes: a name is never read as HTML. */
  hatchmap.boardLabel = (name, figure) => {
    const box = document.createElement("span");
    const [title, strong] = [document.createElement("span"), document.createElement("strong")];
    title.className = "name";
    title.append(name, document.createElement("br"));
    strong.textContent = figure;
    box.append(title, strong);
    return box;
  };

  /** Draw areas and marks; a mark leads to its row of the page, by mouse and by keyboard. */
  hatchmap.markMap = (map, { data, marks, extent }) => {
    const [west, south, east, north] = extent;
    map.fitBounds([[south, west], [north, east]], { padding: [8, 8], animate: false });
    map.scrollWheelZoom.disable();
    L.geoJSON(data, {
      style: ({ properties: { colour, dashed } }) => ({
        color: "#37474f", weight: 1, dashArray: dashed ? "4 4" : null,
        fillColor: colour || "#ffffff", fillOpacity: colour ? 0.55 : 0.25,
      }),
      onEachFeature: ({ properties: { name, label, at } }) => {
        if (!label) return;
        const tip = L.tooltip({ permanent: true, direction: "center", className: "share-label" });
        tip.setLatLng(at).setContent(hatchmap.boardLabel(name, label)).addTo(map);
      },
    }).addTo(map);
    for (const mark of marks) {
      const sign = document.createElement("span");
      sign.textContent = mark.sign;
      sign.style.background = mark.colour;
      const icon = L.divIcon({ className: "board-mark", html: sign, iconSize: [18, 18] });
      const marker = L.marker([mark.lat, mark.lon], { icon, title: mark.text, alt: mark.text, keyboard: true });
      const text = document.createElement("span");
      text.textContent = mark.text;
      marker.bindTooltip(text);
      if (mark.href) marker.on("click", () => { location.href = mark.href; });
      marker.addTo(map);
    }
    document.documentElement.dataset.markMap = "true";
  };

  for (const select of document.querySelectorAll("select[data-go]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
})();
