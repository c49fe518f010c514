// The city map: fills the layers that Folium declared, each when it is first shown.
(() => {
  "use strict";
  const hatchmap = (window.hatchmap = window.hatchmap || {});
  // Leaflet 1.8 dropped it, Leaflet.VectorGrid 1.3 still calls it.
  L.DomEvent.fakeStop = L.DomEvent.fakeStop || (() => true);
  // Points of a grid know their pixel, not their place; without the method Leaflet takes the mouse's.
  const createLayer = L.VectorGrid?.prototype._createLayer;
  L.VectorGrid?.include({
    _createLayer(...given) {
      const made = createLayer.apply(this, given);
      if (made) made.getLatLng = undefined;
      return made;
    },
  });

  /** Options of a vector grid; Folium writes the call into the page. */
  function gridOptions(name, config) {
    return {
      rendererFactory: L.canvas.tile,
      interactive: name !== "streets" && name !== "divisions",
      pane: "grids",
      maxNativeZoom: 18,
      vectorTileLayerStyles: {
        [name]: (properties) =>
          name === "streets" || name === "divisions"
            ? hatchmap.areaStyle(name, properties, config)
            : hatchmap.pointStyle(name, properties, config),
      },
    };
  }

  function bindText(layer, name, properties, config) {
    layer.bindTooltip(() => hatchmap.tooltip(name, properties, config), { sticky: true });
    layer.bindPopup(() => hatchmap.popup(name, properties, config), { maxWidth: 320, autoPanPaddingTopLeft: [56, 12] });
  }

  function bindGrid(grid, name, map, config) {
    const tip = L.tooltip({ sticky: true });
    grid.on("mouseover", (event) => {
      tip.setLatLng(event.latlng)
        .setContent(hatchmap.tooltip(name, event.layer.properties, config))
        .addTo(map);
    });
    grid.on("mousemove", (event) => tip.setLatLng(event.latlng));
    grid.on("mouseout remove", () => tip.remove());
    grid.on("click", (event) => {
      const many = Number(event.layer.properties.point_count || 1);
      if (many > 1) map.setView(event.latlng, Math.min(map.getZoom() + 2, 18));
      else {
        L.popup({ maxWidth: 320, autoPanPaddingTopLeft: [56, 12] })
          .setLatLng(event.latlng)
          .setContent(hatchmap.popup(name, event.layer.properties, config))
          .openOn(map);
      }
    });
  }

  /** Name a marker for those who do not see it: Leaflet names only images. */
  function named(marker, properties, config) {
    marker.on("add", () => {
      marker.getElement()?.setAttribute("aria-label", hatchmap.nameOf(properties, config));
    });
    return marker;
  }

  function incubatorMarker(properties, latlng, config) {
    const icon = L.divIcon({
      className: "incubator",
      html: hatchmap.incubatorSymbol(properties.level, properties.status),
      iconSize: [22, 22],
    });
    return named(L.marker(latlng, { icon, riseOnHover: true }), properties, config);
  }

  function townMark(properties, latlng, config) {
    const state = hatchmap.STATES[config.states[properties.code] || properties.state];
    const icon = L.divIcon({ className: "town-mark", iconSize: [20, 20] });
    const marker = named(L.marker(latlng, { icon, zIndexOffset: -500 }), properties, config);
    marker.on("add", () => {
      const mark = hatchmap.element("span", state ? state.mark : "?");
      mark.style.background = state ? state.ink : "#555";
      marker.getElement().replaceChildren(mark);
    });
    return marker;
  }

  function pointLayer(name, properties, latlng, config, renderer) {
    if (name === "incubators") return incubatorMarker(properties, latlng, config);
    if (name === "industrial_towns") return townMark(properties, latlng, config);
    if (name === "stations") {
      const icon = L.divIcon({ className: "station", html: "<span>M</span>", iconSize: [18, 18] });
      return named(L.marker(latlng, { icon }), properties, config);
    }
    const style = hatchmap.pointStyle(name, properties, config);
    return L.circleMarker(latlng, { ...style, renderer });
  }

  /** Write a unit's name on the map: without a base map nothing else says where one is. */
  function unitLabel(layer, config) {
    const p = layer.feature.properties;
    const seated = Number.isFinite(p.centre_lon) && Number.isFinite(p.centre_lat);
    const place = seated ? [p.centre_lat, p.centre_lon] : layer.getBounds().getCenter();
    return L.tooltip(place, {
      permanent: true, direction: "center", className: "unit-label", interactive: false,
      pane: "labels",
      content: hatchmap.element("span", hatchmap.nameOf(p, config)),
    });
  }

  function drawFeatures(name, data, group, config, renderer) {
    const drawn = L.geoJSON(data, {
      style: (feature) => hatchmap.areaStyle(name, feature.properties, config),
      pointToLayer: (feature, latlng) =>
        pointLayer(name, feature.properties, latlng, config, renderer),
      onEachFeature: (feature, layer) => bindText(layer, name, feature.properties, config),
    });
    // A state is never told by colour alone: town polygons carry their mark.
    const marks = [];
    if (name === "industrial_towns") {
      drawn.eachLayer((layer) => {
        if (!layer.getBounds) return;
        const mark = townMark(layer.feature.properties, layer.getBounds().getCenter(), config);
        bindText(mark, name, layer.feature.properties, config);
        marks.push(mark);
      });
    }
    if (name === "reporting_units" && !config.hasBase) {
      drawn.eachLayer((layer) => layer.getBounds && marks.push(unitLabel(layer, config)));
    }
    if (group.addLayers) group.addLayers(drawn.getLayers());
    else {
      group.addLayer(drawn);
      marks.forEach((mark) => group.addLayer(mark));
      if (name === "reporting_units" || name === "structure") drawn.bringToBack();
    }
    return drawn;
  }

  function drawCircles(features, group, config) {
    for (const feature of features) {
      const [lon, lat] = feature.geometry.coordinates;
      const radius = config.radii[feature.properties.setting] || config.radii.urban;
      const circle = L.circle([lat, lon], {
        radius, color: "#e6550d", weight: 1.2, dashArray: "5 4", fillOpacity: 0.05,
        interactive: true,
      });
      circle.bindTooltip(() => {
        const tip = hatchmap.tooltip("incubators", feature.properties, config);
        tip.append(" · ", hatchmap.fill(config.words.circle, { radius }));
        return tip;
      }, { sticky: true });
      group.addLayer(circle);
    }
  }

  /** Let people choose the category whose walking minutes the streets are painted by. */
  function bindSurface(layer, map) {
    const panel = document.getElementById("surface");
    const chooser = panel?.querySelector("select");
    if (!chooser) return;
    chooser.addEventListener("change", () => {
      layer.options.category = chooser.value;
      if (map.hasLayer(layer)) layer.redraw();
      else map.addLayer(layer);
    });
    layer.on("add remove", () => (panel.hidden = !map.hasLayer(layer)));
    panel.hidden = !map.hasLayer(layer);
  }

  /** Wire the layers of a Folium map. */
  function attach(map, layers, config) {
    const [west, south, east, north] = config.extent;
    // Unanimated, or the end of the animation would undo the view of the address.
    map.fitBounds([[south, west], [north, east]], { padding: [12, 12], animate: false });
    const far = () => map.getContainer().classList.toggle("far", map.getZoom() < 9);
    map.on("zoomend", far);
    far();
    const loaded = new Map();
    const status = document.getElementById("map-status");
    const renderer = L.canvas({ pane: "grids" });

    const messages = new Map();
    /** Say how a layer is getting on; what has gone wrong stays until it is mended. */
    function say(name, text, retry) {
      if (text) messages.set(name, { text, retry });
      else messages.delete(name);
      const faults = [...messages.values()].filter((message) => message.retry);
      const latest = faults.at(-1) || [...messages.values()].at(-1);
      if (!status) return;
      status.hidden = !latest;
      status.replaceChildren(latest?.text || "");
      if (!latest?.retry) return;
      const button = hatchmap.element("button", config.words.retry);
      button.type = "button";
      button.addEventListener("click", latest.retry);
      status.append(" ", button);
    }

    async function fetchFeatures(name) {
      if (config.data) return config.data[name] || { type: "FeatureCollection", features: [] };
      const answer = await fetch(config.layers[name].url);
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.json();
    }

    /** The features of a layer; asked for once. */
    function features(name) {
      if (!loaded.has(name)) {
        const label = { layer: config.layers[name].label };
        say(name, hatchmap.fill(config.words.loading, label));
        const promise = fetchFeatures(name).then((data) => {
          const empty = hatchmap.fill(config.words.empty, label);
          say(name, data.features.length ? "" : empty);
          if (!data.features.length) window.setTimeout(() => say(name, ""), 4000);
          hatchmap.search?.index(name, data.features);
          return data;
        });
        promise.catch(() => {
          loaded.delete(name);
          say(name, hatchmap.fill(config.words.failed, label), () => show(name));
        });
        loaded.set(name, promise);
      }
      return loaded.get(name);
    }

    const shown = new Set();
    async function show(name) {
      if (shown.has(name)) return;
      shown.add(name);
      try {
        if (name === "circles") {
          drawCircles((await features("incubators")).features, layers[name], config);
        } else {
          const data = await features(name);
          const drawn = drawFeatures(name, data, layers[name], config, renderer);
          hatchmap.search?.place(name, drawn);
        }
      } catch (error) {
        shown.delete(name);
        if (!(error instanceof Error)) throw error;
      }
    }

    for (const [name, layer] of Object.entries(layers)) {
      if (config.layers[name].kind === "surface") {
        bindSurface(layer, map);
        continue;
      }
      if (config.layers[name].kind === "tiles") {
        bindGrid(layer, name, map, config);
        continue;
      }
      layer.on("add", () => show(name));
      if (map.hasLayer(layer)) show(name);
    }
    hatchmap.view = { map, layers, config, features };
    hatchmap.search?.start(map, layers, config, features);
    hatchmap.hash?.start(map, layers, config);
    hatchmap.reach?.start(map, config);
    hatchmap.page?.map(map, layers, config);
  }

  /** The icon of a cluster: its number, in a ring. */
  function clusterIcon(cluster) {
    const count = cluster.getChildCount();
    const size = 30 + Math.min(Math.log2(count) * 3, 20);
    return L.divIcon({
      html: `<span title="${hatchmap.fill(hatchmap.config.words.cluster, { count })}">${count}</span>`,
      className: "cluster",
      iconSize: [size, size],
    });
  }

  /** Draw the tiles of a base map in another datum where they belong. */
  function shiftTiles(layer, grid) {
    const at = (latlng) => {
      const clamp = (value, most) => Math.max(0, Math.min(value, most));
      const row = clamp((latlng.lat - grid.south) / grid.step_lat, grid.dlat.length - 1);
      const column = clamp((latlng.lng - grid.west) / grid.step_lon, grid.dlat[0].length - 1);
      const [r, c] = [Math.round(row), Math.round(column)];
      return [grid.dlat[r][c], grid.dlon[r][c]];
    };
    const pixels = (latlng, zoom) => {
      const [dlat, dlon] = at(latlng);
      const map = layer._map;
      return map.project([latlng.lat + dlat, latlng.lng + dlon], zoom)
        .subtract(map.project(latlng, zoom));
    };
    const bounds = layer._getTiledPixelBounds;
    layer._getTiledPixelBounds = function (center) {
      const by = pixels(center, this._tileZoom);
      const plain = bounds.call(this, center);
      return L.bounds(plain.min.add(by), plain.max.add(by));
    };
    const place = layer._getTilePos;
    layer._getTilePos = function (coords) {
      const zoom = this._tileZoom;
      const corner = this._map.unproject(coords.scaleBy(this.getTileSize()), zoom);
      return place.call(this, coords).subtract(pixels(corner, zoom).round());
    };
  }

  Object.assign(hatchmap, { attach, gridOptions, clusterIcon, shiftTiles });
})();
