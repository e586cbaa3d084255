# The worker: trains on a GPU where the container gets one, else on the CPU. torch brings its own CUDA libraries.

FROM python:3.13-slim
WORKDIR /app
COPY pyproject.toml requirements.lock ./
RUN pip install --no-cache-dir uv \
 && uv pip install --system --no-cache --constraint requirements.lock --requirement pyproject.toml --extra train
COPY fgfi_core fgfi_core
COPY store store
COPY worker worker
# The cache of data sets and weights is a volume, and belongs to the user who fills it.
RUN mkdir /cache && chown 65534:65534 /cache
VOLUME /cache
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/cache
USER 65534:65534
CMD ["celery", "--app=worker.app", "worker", "--loglevel=INFO"]
