# syntax=docker/dockerfile:1
# An image of the service: `docker build --tag symphony .`
# A linter checks this file (`just sdk`); no test builds the image.

# The Python version is the one that the tests run on. Both stages need the same one, because the
# environment refers to its interpreter by path.
FROM python:3.11-slim-bookworm AS build

ENV UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/symphony \
    UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /src

# The dependencies change less often than the source, so they are a layer of their own.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --no-install-project --no-cache
COPY README.md ./
COPY alembic ./alembic
COPY docs ./docs
COPY src ./src
RUN uv sync --locked --no-dev --no-editable --no-cache


FROM python:3.11-slim-bookworm

# git inspects repositories and asks remotes, over ssh too; Debian's git is newer than the 2.37 that
# a sync needs. The version is not pinned, so that a build gets Debian's security updates.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 symphony \
    && useradd --system --uid 10001 --gid symphony --no-create-home --shell /usr/sbin/nologin symphony \
    && install --directory --owner symphony --group symphony --mode 0700 /var/lib/symphony

COPY --from=build /opt/symphony /opt/symphony

ENV PATH=/opt/symphony/bin:$PATH \
    SYMPHONY_DATA_DIR=/var/lib/symphony \
    SYMPHONY_HOST=0.0.0.0 \
    SYMPHONY_LOG_FORMAT=json
USER 10001:10001
VOLUME /var/lib/symphony
EXPOSE 8000

# Liveness, not readiness: a restart does not bring back a database that is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ.get(\"SYMPHONY_PORT\", 8000)}/health/live', timeout=4)"]

# Without a shell in between, so that the service itself receives SIGTERM. It then has 4 seconds to
# finish requests in progress.
ENTRYPOINT ["symphony"]
CMD ["serve"]
