"""Whole documents that describe catalogues, read as rows: DCAT in each syntax of RDF, and what shapes say of it."""
