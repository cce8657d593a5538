"""The catalogues of the city: entries derived from its systems, and the portals and files that list them."""
