"""What the ledger knows, given to others as data sets: the catalogue as DCAT."""
