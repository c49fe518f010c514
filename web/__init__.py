"""What people see: Folium maps, pages, reports, and the words in two languages."""
