"""One city under Airflow's real scheduler: its pipelines' own health, the way to people, what clock and data start, the stop."""
