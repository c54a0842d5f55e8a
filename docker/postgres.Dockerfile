# PostgreSQL of Debian for docker/replicas.yml. Whoever has a server of their own names
# it in SEMBLANCE_DATABASE and needs none of this.
#   docker build -f docker/postgres.Dockerfile -t semblance-postgres .

FROM python:3.11-slim-bookworm
# The number is fixed, so that a volume keeps its owner from one image to the next. The
# package would make a cluster by itself, with settings of its own.
RUN groupadd --gid 10003 postgres \
 && useradd --uid 10003 --gid postgres --home-dir /data --no-create-home postgres \
 && mkdir -p /etc/postgresql-common \
 && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf \
 && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      postgresql-15 > /dev/null \
 && rm -rf /var/lib/apt/lists/* \
 && install --directory --mode=0700 --owner=postgres --group=postgres /data
LABEL org.opencontainers.image.title="Semblance, PostgreSQL" \
      org.opencontainers.image.description="The database of several replicas"
ENV PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin
COPY docker/postgres.sh /usr/local/bin/
RUN chmod 0755 /usr/local/bin/postgres.sh
EXPOSE 5432
VOLUME /data
USER 10003:10003
# A fast shutdown: connections end, everything is written.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
  CMD ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=semblance"]
CMD ["/usr/local/bin/postgres.sh"]
