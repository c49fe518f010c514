// Walking zones from any place: click the map, drag the origin, choose who walks.
(() => {
  "use strict";
  const hatchmap = (window.hatchmap = window.hatchmap || {});
  const MINUTES = [5, 10, 15];
  const COLOURS = { 5: "#006d2c", 10: "#31a354", 15: "#74c476" };

  function address(origin, profile) {
    const query = new URLSearchParams({
      lon: origin.lng.toFixed(6), lat: origin.lat.toFixed(6),
      minutes: MINUTES.join(","), profile,
    });
    return `/api/reach?${query}`;
  }

  function row(properties, config) {
    const { words, lang } = config;
    const box = hatchmap.element("li");
    const minutes = properties.minutes;
    const swatch = hatchmap.element("span", null, "swatch");
    swatch.style.background = COLOURS[minutes] || COLOURS[15];
    const area = (properties.area_m2 / 1e6).toLocaleString(lang, { maximumFractionDigits: 2 });
    const title = hatchmap.element("strong", hatchmap.fill(words.reach_minutes, { minutes }));
    box.append(swatch, title, " ", hatchmap.fill(words.reach_km2, { area }));
    if (properties.population) {
      const people = Math.round(properties.population).toLocaleString(lang);
      box.append(" · ", words.reach_population, " ", people);
    }
    const counts = Object.entries(properties.amenities || {}).filter(([, count]) => count > 0);
    if (counts.length) {
      const text = counts.map(([key, count]) => {
        const category = config.categories[key];
        return `${category ? category.label : key} ${count}`;
      });
      box.append(hatchmap.element("p", text.join(" · ")));
    }
    return box;
  }

  function start(map, config) {
    const panel = document.getElementById("reach");
    if (!panel || config.offline) return;
    const button = panel.querySelector("button");
    const chooser = panel.querySelector("select");
    const output = panel.querySelector("output");
    const zones = L.geoJSON(null, {
      pane: "zones-reach",
      style: ({ properties }) => ({
        color: COLOURS[properties.minutes] || COLOURS[15], weight: 2,
        fillOpacity: 0.18, interactive: false,
      }),
    });
    let marker = null;
    let running = false;
    let request = null;

    async function ask() {
      if (!marker) return;
      request?.abort();
      const own = new AbortController();
      request = own;
      output.textContent = config.words.reach_busy;
      try {
        const answer = await fetch(address(marker.getLatLng(), chooser.value), { signal: own.signal });
        const data = await answer.json();
        if (answer.status === 404 || answer.status === 503) return hide();
        if (!answer.ok) throw new Error(data.detail || data.title);
        show(data);
      } catch (error) {
        if (own.signal.aborted) return undefined;
        zones.clearLayers();
        output.textContent = `${config.words.reach_failed} ${error.message || ""}`;
      }
      return undefined;
    }

    function show(data) {
      const widestFirst = [...data.features].sort((a, b) => b.properties.minutes - a.properties.minutes);
      zones.clearLayers();
      zones.addData({ type: "FeatureCollection", features: widestFirst });
      const list = hatchmap.element("ul");
      list.append(...widestFirst.reverse().map(({ properties }) => row(properties, config)));
      const notes = (data.warnings || []).map((note) => note[config.lang] || note.zh || String(note));
      if (data.demo_counted) notes.push(config.words.reach_demo);
      if (Number.isFinite(data.snap_m)) {
        notes.unshift(hatchmap.fill(config.words.reach_snap, { metres: Math.round(data.snap_m) }));
      }
      output.replaceChildren(list, ...notes.map((note) => hatchmap.element("p", note, "note")));
    }

    function move(latlng) {
      if (!marker) {
        const icon = L.divIcon({ className: "origin", html: "<span></span>", iconSize: [26, 26] });
        marker = L.marker(latlng, {
          icon, draggable: true, autoPan: true, alt: config.words.reach_origin,
          title: config.words.reach_origin, zIndexOffset: 1000,
        }).addTo(map);
        marker.on("dragend", ask);
      } else marker.setLatLng(latlng);
      ask();
    }

    const onClick = (event) => move(event.latlng);

    function stop() {
      running = false;
      request?.abort();
      map.off("click", onClick);
      marker?.remove();
      marker = null;
      zones.clearLayers().remove();
      output.textContent = "";
      button.textContent = config.words.reach_start;
      button.setAttribute("aria-pressed", "false");
      map.getContainer().classList.remove("picking");
    }

    function hide() {
      stop();
      panel.hidden = true;
    }

    button.addEventListener("click", () => {
      if (running) return stop();
      hatchmap.pick?.({ stopPicking: () => running && stop() });
      running = true;
      zones.addTo(map);
      map.on("click", onClick);
      map.getContainer().classList.add("picking");
      output.textContent = config.words.reach_hint;
      button.textContent = config.words.reach_stop;
      button.setAttribute("aria-pressed", "true");
      document.body.classList.remove("panel-open");
      return undefined;
    });
    chooser.addEventListener("change", ask);
    panel.hidden = false;
  }

  hatchmap.reach = { start };
})();
