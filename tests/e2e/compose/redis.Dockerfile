# Stands in for redis:7.2-bookworm where no image registry can be reached: Debian's Redis 7.0.
FROM shuheng-base:local
RUN apt-get update && apt-get install -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/* \
    && install -d -o redis -g redis /data
USER redis
WORKDIR /data
EXPOSE 6379
CMD ["redis-server", "--protected-mode", "no"]
