// Colours and symbols: the same meaning everywhere, told by shape or mark as well as by colour.
// Colours are ColorBrewer's (RdBu, Dark2, Set2), safe for colour-blind readers.
(() => {
  "use strict";
  const hatchmap = (window.hatchmap = window.hatchmap || {});

  const STATES = {
    operating_large: { colour: "#2166ac", ink: "#2166ac", mark: "●", dash: null },
    operating: { colour: "#67a9cf", ink: "#2f7ba8", mark: "◐", dash: null },
    planned_only: { colour: "#ef8a62", ink: "#b2481a", mark: "○", dash: "6 4" },
    none: { colour: "#b2182b", ink: "#b2182b", mark: "✕", dash: "2 4" },
  };

  // One shape a level, as a path in a box of 20 by 20.
  const LEVELS = {
    national: "M10 1l2.7 5.9 6.3.7-4.7 4.3 1.3 6.3L10 15l-5.6 3.2 1.3-6.3L1 7.6l6.3-.7z",
    provincial: "M10 1.5l8.5 8.5-8.5 8.5L1.5 10z",
    municipal: "M3 3h14v14H3z",
    county: "M10 2l9 16H1z",
    unrated: "M10 2a8 8 0 1 0 .01 0z",
  };

  // One way of filling a status.
  const STATUSES = {
    operating: { fill: "#1b6e53", stroke: "#fff", dash: "" },
    rectifying: { fill: "#e6ab02", stroke: "#333", dash: "" },
    completed: { fill: "#b8e0d2", stroke: "#1b6e53", dash: "" },
    under_construction: { fill: "#fff", stroke: "#1b6e53", dash: "" },
    planned: { fill: "#fff", stroke: "#1b6e53", dash: "3 2" },
    withdrawn: { fill: "#bbb", stroke: "#666", dash: "" },
  };

  const SPACES = { vacant: "#1b9e77", reserved: "#d95f02", occupied: "#757575" };
  const AMENITIES = { facility: "#7570b3", format: "#e7298a", cultural: "#a6761d" };
  const ROLES = ["#8da0cb", "#fc8d62", "#66c2a5", "#e5c494", "#a6d854"];

  function incubatorSymbol(level, status, size = 20) {
    const path = LEVELS[level] || LEVELS.unrated;
    const { fill, stroke, dash } = STATUSES[status] || STATUSES.planned;
    const width = status === "under_construction" || status === "planned" ? 2.4 : 1.4;
    return (
      `<svg viewBox="-1 -1 22 22" width="${size}" height="${size}" aria-hidden="true">` +
      `<path d="${path}" fill="${fill}" stroke="${stroke}" stroke-width="${width}"` +
      ` stroke-dasharray="${dash}" stroke-linejoin="round"/></svg>`
    );
  }

  function areaStyle(name, properties, config) {
    switch (name) {
      case "industrial_towns": {
        const state = STATES[config.states[properties.code] || properties.state];
        if (!state) return { color: "#555", weight: 1.5, fillColor: "#999", fillOpacity: 0.25 };
        return {
          color: state.colour, weight: 2, dashArray: state.dash,
          fillColor: state.colour, fillOpacity: 0.35,
        };
      }
      case "structure": {
        const role = config.roles[properties.role];
        const colour = role ? role.colour || ROLES[role.rank % ROLES.length] : "#999";
        return { color: colour, weight: 2.5, fillColor: colour, fillOpacity: 0.25 };
      }
      case "zones":
        return { color: "#6a3d9a", weight: 2, dashArray: "8 3 2 3", fillOpacity: 0.06 };
      case "reporting_units":
        return {
          color: "#37474f", weight: 1.6, fillColor: "#eceff1",
          fillOpacity: config.hasBase ? 0 : 0.65,
          dashArray: properties.inside ? "4 3" : null,
        };
      case "streets":
        return { color: "#8d6e63", weight: 1, opacity: 0.8 };
      default:
        return { color: "#546e7a", weight: 1, fillOpacity: 0.05 };
    }
  }

  function pointStyle(name, properties, config) {
    const many = Number(properties.point_count || 1);
    const radius = Math.min(3.5 + Math.log2(many), 9);
    let colour = "#546e7a";
    if (name === "spaces") colour = SPACES[properties.status] || SPACES.vacant;
    if (name === "amenities") {
      const category = config.categories[properties.category];
      const kind = properties.cultural_kind ? "cultural" : category ? category.group : "facility";
      colour = AMENITIES[kind] || AMENITIES.facility;
    }
    return {
      radius, color: "#fff", weight: 1, opacity: 0.9, fill: true,
      fillColor: colour, fillOpacity: 0.85,
    };
  }

  Object.assign(hatchmap, {
    STATES, LEVELS, STATUSES, SPACES, AMENITIES, ROLES,
    incubatorSymbol, areaStyle, pointStyle,
  });
})();
