"""Tests of one city under Airflow's real scheduler, which every judging DAG has read and judged before."""
