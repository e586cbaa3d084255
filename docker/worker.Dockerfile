# The worker: trains on a GPU where the container gets one, else on the CPU. torch brings its own CUDA libraries; the
# driver is the host's. --build-arg TORCH_BACKEND=cpu makes a far smaller image that knows the CPU only.

FROM python:3.13-slim-trixie AS build
WORKDIR /app
COPY requirements.lock ./
RUN awk '/^[a-z0-9]/ { wanted = /^uv==/ } wanted' requirements.lock > uv.txt \
 && pip install --no-cache-dir --require-hashes --requirement uv.txt
COPY pyproject.toml ./
ARG TORCH_BACKEND=
# What comes from torch's own index when a backend is chosen: other files, so for it the lock's versions hold, not its hashes.
ARG TORCH_PARTS="^(torch|torchvision|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)=="
RUN python -m venv --without-pip /opt/fgfi \
 && cp requirements.lock locked.txt \
 && if [ -n "$TORCH_BACKEND" ]; then \
      awk -v parts="$TORCH_PARTS" '/^[a-z0-9]/ { wanted = $0 !~ parts } wanted' requirements.lock > locked.txt; \
      grep -oE '^(torch|torchvision)==[0-9.]+' requirements.lock > torch.txt; \
      uv pip install --python /opt/fgfi/bin/python --no-cache --torch-backend "$TORCH_BACKEND" --requirement torch.txt; \
    fi \
 && uv pip install --python /opt/fgfi/bin/python --no-cache --compile-bytecode \
      --constraint locked.txt --requirement pyproject.toml --extra train

FROM python:3.13-slim-trixie
WORKDIR /app
COPY --from=build /opt/fgfi /opt/fgfi
COPY fgfi_core fgfi_core
COPY store store
COPY worker worker
# Compiled now, for nothing may be written here later; the cache is a volume, and belongs to the user who fills it.
RUN python -m compileall -q . && mkdir /cache && chown 65534:65534 /cache
VOLUME /cache
ENV PATH=/opt/fgfi/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/cache \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 65534:65534
CMD ["celery", "--app=worker.app", "--quiet", "worker", "--queues=jobs", "--loglevel=INFO"]
