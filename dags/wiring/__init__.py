"""What the DAG files share. Holds no DAG: `.airflowignore` keeps Airflow from looking for one."""
