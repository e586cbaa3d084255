"""Storing checkpoints and artifacts beside the training: upload, verify, and only then the row that publishes."""

import logging
import os
import queue
import re
import secrets
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from fgfi_core.events import ArtifactWritten, CheckpointSaved
from store import artifacts, checkpoints, failpoints
from store.artifacts import NewArtifact
from store.checkpoints import NewCheckpoint
from store.database import AWAY
from store.errors import LeaseLost, ObjectDamaged
from store.leases import Lease
from store.objects import read_file
from worker.keeper import Keeper
from worker.workplace import Workplace

log = logging.getLogger(__name__)

TRIES = 4
_UNSAFE = re.compile(r"[^A-Za-z0-9._=-]+")


@dataclass(frozen=True)
class _Upload:
    event: CheckpointSaved | ArtifactWritten
    file: Path


class Publisher:
    """One thread that stores files in the order they were named. `failures`: what could not be stored, in words."""

    def __init__(self, place: Workplace, keeper: Keeper, lease: Lease, folder: Path) -> None:
        self._place = place
        self._keeper = keeper
        self._lease = lease
        self._out = (folder / "out").resolve()
        self._stash = folder / "uploads"
        self._stash.mkdir()
        self._queue: queue.Queue[_Upload | None] = queue.Queue()
        self._steps: dict[tuple[str, int], list[int]] = defaultdict(list)
        self._quit = threading.Event()
        self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)
        self._thread.start()
        self.failures: list[str] = []

    def add(self, event: CheckpointSaved | ArtifactWritten) -> None:
        """Store this file soon. It is held by a link of our own, for the child may delete it meanwhile."""
        held = self._stash / secrets.token_hex(8)
        try:
            os.link(self._inside(event.path), held)
        except (OSError, ValueError) as error:
            # The run drops old checkpoints as it writes new ones.
            if isinstance(event, ArtifactWritten) or event.final:
                self.failures.append(f"'{event.path}' could not be read: {error}")
            return
        if isinstance(event, CheckpointSaved) and not event.final:
            self._steps[event.stage, event.seed].append(event.step)
        self._queue.put(_Upload(event, held))

    def finish(self) -> None:
        """Wait until everything is stored, or the lease is lost."""
        self._queue.put(None)
        while self._thread.is_alive() and not self._keeper.is_lost:
            self._thread.join(timeout=0.2)

    def abandon(self) -> None:
        """Store nothing more."""
        self._quit.set()
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while (upload := self._queue.get()) is not None:
            if self._quit.is_set() or self._keeper.is_lost:
                return
            event = upload.event
            try:
                if not self._is_superfluous(event):
                    self._store(upload)
            except LeaseLost as error:
                self._keeper.lose(error.message)
                return
            except Exception as error:
                log.exception("job %s: '%s' was not stored", self._lease.job_id, event.path)
                # A run that is done needs none of the checkpoints on its way.
                if isinstance(event, ArtifactWritten) or event.final:
                    self.failures.append(f"'{event.path}' could not be stored: {error}")
            finally:
                upload.file.unlink(missing_ok=True)

    def _is_superfluous(self, event: CheckpointSaved | ArtifactWritten) -> bool:
        """Whether storing it would be in vain: it is stored already, or will be pushed out at once by newer ones."""
        if isinstance(event, ArtifactWritten):
            return False
        if event.final:
            return self._is_stored(event)
        return sum(step > event.step for step in self._steps[event.stage, event.seed]) >= checkpoints.KEPT

    def _is_stored(self, event: CheckpointSaved) -> bool:
        """Whether an earlier attempt published this very file: one that goes on names again what it found."""
        place = (event.stage, event.seed, event.path, event.sha256)
        try:
            with self._place.sessions.begin() as session:
                return checkpoints.find_final(session, self._lease.job_id, *place) is not None
        except AWAY:  # Publishing waits for the database, and asks again.
            return False

    def _store(self, upload: _Upload) -> None:
        event = upload.event
        safe = _UNSAFE.sub("_", Path(event.path).name) or "file"
        key = f"jobs/{self._lease.job_id}/attempts/{self._lease.attempt}/{secrets.token_hex(8)}/{safe}"
        for attempt in range(TRIES):
            try:
                self._upload(key, upload)
                break
            except (OSError, ObjectDamaged):
                if attempt == TRIES - 1 or self._quit.wait(2.0**attempt):
                    raise
        failpoints.reach("uploaded")
        self._publish(event, key)

    def _upload(self, key: str, upload: _Upload) -> None:
        event = upload.event
        self._place.objects.put(key, read_file(upload.file), size=event.size, sha256=event.sha256)
        if self._place.objects.head(key).size != event.size:
            raise ObjectDamaged(f"{key}: the store holds another size than was sent")

    def _publish(self, event: CheckpointSaved | ArtifactWritten, key: str) -> None:
        while True:
            try:
                with self._place.sessions.begin() as session:
                    facts = event.model_dump(exclude={"kind"})
                    if isinstance(event, CheckpointSaved):
                        checkpoints.publish(session, self._lease, NewCheckpoint(**facts, object_key=key))
                    else:
                        artifacts.publish(session, self._lease, NewArtifact(**facts, object_key=key))
            except AWAY as error:
                log.warning("job %s: row of '%s' not written, trying again: %s", self._lease.job_id, key, error)
                self._keeper.check()
                if self._quit.wait(1.0):
                    return
            else:
                return

    def _inside(self, path: str) -> Path:
        """The file the child means. Raises ValueError for one outside its output folder, or a link."""
        file = (self._out / path).resolve(strict=True)
        if not file.is_relative_to(self._out) or not file.is_file() or (self._out / path).is_symlink():
            raise ValueError("it is not a plain file of the run")
        return file
