// What Folium's DualMap asks of Leaflet: maps that move together.
L.Map.include({
  sync(other) {
    const follow = () => {
      if (this._following || other._following) return;
      other._following = true;
      other.setView(this.getCenter(), this.getZoom(), { animate: false });
      other._following = false;
    };
    this.on("move zoomend", follow);
    return this;
  },
});
