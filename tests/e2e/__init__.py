"""Tests that start whole programs: Airflow's real components, the supervisor of `make run`."""
