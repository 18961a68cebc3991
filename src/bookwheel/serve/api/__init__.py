"""Endpoints for programs, one file each; `routes` lists them."""
