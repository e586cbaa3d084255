# API, steward, checker of uploads and migration: everything but the training. No torch.

FROM node:24-slim AS assets
RUN apt-get update && apt-get install --yes --no-install-recommends python3-minimal && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
COPY api/dashboard api/dashboard
RUN python3 api/dashboard/assets.py

FROM python:3.13-slim
WORKDIR /app
COPY pyproject.toml requirements.lock ./
# The project's own dependencies, without its extras, by the versions and hashes of the lock.
RUN pip install --no-cache-dir uv \
 && uv pip install --system --no-cache --constraint requirements.lock --requirement pyproject.toml
COPY fgfi_core fgfi_core
COPY store store
COPY migrations migrations
COPY api api
COPY worker worker
COPY embedded embedded
COPY --from=assets /app/api/dashboard/static/vendor api/dashboard/static/vendor
RUN mkdir /cache && chown 65534:65534 /cache
VOLUME /cache
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 65534:65534
EXPOSE 8000
CMD ["uvicorn", "--factory", "api.main:create_app", "--host=0.0.0.0", "--port=8000", "--no-access-log"]
