"""Turn cells, YAML scalars and foreign spellings into records as the API spells them."""
