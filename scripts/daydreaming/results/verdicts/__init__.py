"""Verdicts of judges who compared two texts: gathered from generations, written as a table, analysed."""
