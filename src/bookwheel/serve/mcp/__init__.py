"""A library for agents, by the Model Context Protocol."""
