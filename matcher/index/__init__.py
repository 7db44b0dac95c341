"""Vectors to nearest faces: a rebuildable artefact behind one interface."""
