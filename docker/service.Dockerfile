# The service with its model. From the top folder:
#   docker build -f docker/service.Dockerfile -t semblance .
# For an index of your own add --build-arg PIP_INDEX_URL=... (or PIP_EXTRA_INDEX_URL,
# PIP_TRUSTED_HOST). Only the stages that are thrown away see them: the image and its
# history hold no address and no password. --build-arg PROFILE=fast takes the smaller
# and less accurate model, --build-arg TRACES=yes brings what SEMBLANCE_TRACES_ENDPOINT needs.
# For both architectures, to a registry of your own (each is built on, or as on, its own):
#   docker buildx build --platform linux/amd64,linux/arm64 -f docker/service.Dockerfile \
#     -t registry.example.org/semblance:0.1.0 --push .

# Makes the model. TensorFlow and the training code stay behind here.
FROM python:3.11-slim-bookworm AS artifact
ARG PIP_INDEX_URL=
ARG PIP_EXTRA_INDEX_URL=
ARG PIP_TRUSTED_HOST=
WORKDIR /build
COPY training/requirements.lock .
RUN pip install --no-cache-dir --no-compile --root-user-action=ignore \
      --require-hashes -r requirements.lock
COPY model model
COPY training training
# The published weights; their SHA-256 is checked whatever they came from.
ARG PROFILE=accurate
RUN python -m training build --profile "$PROFILE" --out /artifact && chmod -R a+rX /artifact


# What the service imports, and nothing to build with.
FROM python:3.11-slim-bookworm AS packages
ARG PIP_INDEX_URL=
ARG PIP_EXTRA_INDEX_URL=
ARG PIP_TRUSTED_HOST=
ARG TRACES=
COPY service/requirements.lock service/requirements-otel.lock /tmp/
# OpenVINO's plug-ins for graphics and neural processors go: 60 MB, and their drivers
# are not here. So does what tells its maker of each import. Compiled now, as the running
# container cannot write; by hash, never checked, so that the time of a copied file does
# not matter.
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --no-cache-dir --no-compile \
      --root-user-action=ignore --require-hashes -r /tmp/requirements${TRACES:+-otel}.lock \
 && cd /opt/venv/lib/python3*/site-packages/openvino && rm -rf include ../openvino_telemetry* \
      libs/cache.json libs/libopenvino_intel_gpu_plugin.so libs/libopenvino_intel_npu_plugin.so \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib


# Our code, compiled likewise and readable whatever the modes were where it came from.
FROM python:3.11-slim-bookworm AS code
WORKDIR /app
COPY LICENSE NOTICE docker/healthcheck.py ./
COPY static static
COPY model model
COPY service service
RUN python -m compileall -q --invalidation-mode unchecked-hash model service \
 && chmod -R a+rX,go-w .


# Python and its libraries alone: no shell, no package manager, nothing with rights.
FROM packages AS runtime
COPY docker/runtime.py /tmp/
RUN /opt/venv/bin/python /tmp/runtime.py \
 && python -m compileall -q -j 0 -s /image -p / --invalidation-mode unchecked-hash \
      /image/usr/lib /image/usr/local \
 && install --directory --mode=0700 /data


FROM scratch AS service
LABEL org.opencontainers.image.title="Semblance" \
      org.opencontainers.image.description="Self-hosted face verification"
ENV PATH=/opt/venv/bin \
    LANG=C.UTF-8 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SEMBLANCE_HOST=0.0.0.0 \
    SEMBLANCE_DATA_DIR=/data \
    SEMBLANCE_ARTIFACT=/app/models/default
COPY --from=runtime /image /
# The number is fixed, so that a volume keeps its owner from one image to the next.
COPY --from=runtime --chown=10001:10001 /data /data
WORKDIR /app
EXPOSE 8000
VOLUME /data
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-I", "healthcheck.py"]
CMD ["python", "-m", "service"]
COPY --from=packages /opt/venv /opt/venv
COPY --from=artifact /artifact models/default
COPY --from=code /app .
USER 10001:10001
# The build ends here if TensorFlow came in, or if this user cannot import the service.
RUN ["python", "-c", "import service.app, importlib.util as u; assert not u.find_spec('tensorflow')"]
