# Vitrina in a container: `docker build -t vitrina .`, then `docker run -p 8000:8000 vitrina`.
#
# Serves the catalog in /data, which starts as the example shop; mount your own over it. Runs as uid
# 10001 and needs to write to /data only, so a read-only root file system is fine.

FROM python:3.13-slim AS build
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/vitrina \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir --root-user-action=ignore "uv==0.13.8"
WORKDIR /src
# The packages first: they change less often than the source, so this layer is mostly cached.
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-default-groups --no-install-project
COPY LICENSE README.md ./
COPY src src
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-default-groups --no-editable

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Vitrina" \
      org.opencontainers.image.description="A product catalog service whose database is your product file" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin vitrina \
    && install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/vitrina /opt/vitrina
COPY --chown=10001:10001 examples/shop /data
ENV PATH=/opt/vitrina/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VITRINA_HOST=0.0.0.0 \
    VITRINA_PORT=8000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['VITRINA_PORT'] + '/readyz', timeout=4)"]
ENTRYPOINT ["vitrina"]
CMD ["serve", "/data"]
