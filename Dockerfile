# The image of every Airflow service of docker-compose.yml. Any base with Python 3.11 and pip's venv module will do.
ARG BASE=apache/airflow:3.3.2-python3.11
FROM ${BASE}
USER root
ENV PIP_USER=false PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
RUN getent passwd 50000 >/dev/null || useradd --uid 50000 --gid 0 --create-home airflow

# One environment from the hashed lock, whatever the base brings: the same packages as `make run` and `make test`.
WORKDIR /opt/shuheng
COPY requirements.lock ./
RUN python3 -m venv venv \
    && venv/bin/python -m pip install --quiet --no-cache-dir uv==0.13.9 \
    && venv/bin/uv pip install --quiet --no-cache --compile-bytecode --python venv/bin/python --require-hashes -r requirements.lock

# Only dags, include, plugins and schemas: .dockerignore keeps everything else out.
COPY . .
# Volumes take the owner of the folder they are mounted over when they are new.
RUN install -d -o 50000 -g 0 -m 0775 airflow airflow/logs landing datasets spool outside
ENV PATH=/opt/shuheng/venv/bin:$PATH PYTHONPATH=/opt/shuheng AIRFLOW_HOME=/opt/shuheng/airflow
USER 50000:0
ENTRYPOINT []
CMD ["airflow", "version"]
