"""A file a page: its addresses, what it reads, its template. What a page shows is put together in `views`."""

from fastapi import APIRouter

from api.dashboard.pages import (
    audit,
    compare,
    datasets,
    downloads,
    evaluation,
    groups,
    home,
    job,
    job_actions,
    jobs,
    keys,
    metrics_file,
    models,
    new_group,
    new_job,
    pictures,
    usage,
    workers,
)

ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    jobs.router,
    new_job.router,  # Before `/jobs/{job_id}` takes `new` for a job.
    job.router,
    pictures.router,
    evaluation.router,
    downloads.router,
    metrics_file.router,
    job_actions.router,
    datasets.router,
    models.router,
    workers.router,
    compare.router,
    new_group.router,
    groups.router,
    keys.router,
    usage.router,
    audit.router,
)
