"""SQLAlchemy models of every table. Times are `timestamptz`, set by the database's clock."""

from store.tables.access import AuditEntry, BrowserSession
from store.tables.attempts import Artifact, Attempt, Checkpoint, Metric
from store.tables.base import Base
from store.tables.datasets import Dataset, Thumbnail
from store.tables.exports import Export
from store.tables.groups import Group
from store.tables.jobs import Job, JobCount, JobEvent
from store.tables.machinery import Garbage, Outbox, Worker
from store.tables.models import JobModel, Model
from store.tables.projects import ApiKey, IdempotencyKey, LoginLink, Project
from store.tables.uploads import Upload
from store.tables.webhooks import Webhook, WebhookDelivery

__all__ = [
    "ApiKey",
    "Artifact",
    "Attempt",
    "AuditEntry",
    "Base",
    "BrowserSession",
    "Checkpoint",
    "Dataset",
    "Export",
    "Garbage",
    "Group",
    "IdempotencyKey",
    "Job",
    "JobCount",
    "JobEvent",
    "JobModel",
    "LoginLink",
    "Metric",
    "Model",
    "Outbox",
    "Project",
    "Thumbnail",
    "Upload",
    "Webhook",
    "WebhookDelivery",
    "Worker",
]
