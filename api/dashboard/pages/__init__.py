"""A file a page: its addresses, what it reads, its template. What a page shows is put together in `views`."""

from fastapi import APIRouter

from api.dashboard.pages import (
    datasets,
    downloads,
    evaluation,
    home,
    job,
    job_actions,
    jobs,
    models,
    pictures,
)

ROUTERS: tuple[APIRouter, ...] = (
    home.router,
    jobs.router,
    job.router,
    pictures.router,
    evaluation.router,
    downloads.router,
    job_actions.router,
    datasets.router,
    models.router,
)
