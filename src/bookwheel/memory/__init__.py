"""The memory budget: amounts as people write them, its split over the parts of indexing, and the memory plan."""
