"""The board: pages and an API over the ledger, read only. Knows no Airflow; the plugin puts the login in front."""
