"""Pages, one file each: parameters, view, and the function that makes the one from the other. `routes` lists them."""
