"""Language models that are trained to write the queries of a collection."""
