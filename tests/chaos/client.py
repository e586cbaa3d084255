"""A patient client: it asks again until it is answered, changes its mind now and then, and writes down what it saw."""

import io
import random
import threading
import time
import zipfile
from contextlib import suppress

import httpx
import numpy as np
from PIL import Image

from store.states import TERMINAL
from tests.chaos.history import JobHistory, Json, Plan

LOOK_SECONDS = 0.3
DETECTORS = {"teacher": {"detector": "ssd-shufflenetv2-0.5x"}, "student": {"detector": "ssd-shufflenetv2-0.25x"}}


class Client:
    """Speaks REST with one key. Every request may be lost or answered late; those are sent again."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=5)

    def close(self) -> None:
        self._http.close()

    def add_dataset(self, deadline: float = 120) -> str:
        """Upload four small images and wait until they are checked."""
        answer = self._http.post(
            "/v1/datasets?name=chaos", content=archive(), headers={"Content-Type": "application/zip"}, timeout=60
        )
        answer.raise_for_status()
        made: Json = answer.json()
        until = time.monotonic() + deadline
        while made["state"] not in {"ready", "rejected"} and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
            made = self.get(f"/v1/datasets/{made['id']}") or made
        if made["state"] != "ready":
            raise RuntimeError(f"the data set is not ready: {made}")
        return str(made["id"])

    def create(self, plan: Plan, dataset_id: str) -> JobHistory:
        """Ask for a job until it is acknowledged, with one key all the time; then once more, as a twin."""
        body = spec(plan, dataset_id)
        answers: list[str] = []
        while len(answers) < 2:
            with suppress(httpx.TransportError):
                answer = self._http.post("/v1/jobs", json=body, headers={"Idempotency-Key": plan.key})
                if answer.status_code == 201:
                    answers.append(answer.json()["id"])
                elif answer.status_code not in {409, 500, 503}:
                    raise RuntimeError(f"the job is refused: {answer.text}")
            if not answers:
                time.sleep(LOOK_SECONDS)
        return JobHistory(plan, answers[0], twins=set(answers))

    def act(self, history: JobHistory, action: str) -> None:
        """Ask once; whether it was accepted is known only when an answer came."""
        history.asked.append(action)
        with suppress(httpx.TransportError):
            if self._http.post(f"/v1/jobs/{history.job_id}/{action}").is_success:
                history.answered.append(action)

    def look(self, history: JobHistory) -> str | None:
        """Glance at a job and read on in its events. Returns its state, None when nobody answers."""
        job = self.get(f"/v1/jobs/{history.job_id}")
        if job is None:
            return None
        history.glances.append((job["state"], job["last_event"]))
        after = history.seen[-1]["sequence"] if history.seen else 0
        found = self.get(f"/v1/jobs/{history.job_id}/events?after={after}&limit=1000")
        history.seen += (found or {"data": []})["data"]
        return str(job["state"])

    def close_book(self, history: JobHistory) -> None:
        """Write down how the job ended: the whole of its events, its files and their content."""
        path = f"/v1/jobs/{history.job_id}"
        history.job = self._insist(path)
        if history.job is None:
            return
        after = 0
        while True:
            page = self._insist(f"{path}/events?after={after}&limit=1000") or {"data": [], "has_more": False}
            history.events += page["data"]
            if not page["has_more"]:
                break
            after = history.events[-1]["sequence"]
        for file in (self._insist(f"{path}/artifacts") or {"data": []})["data"]:
            content = self._http.get(file["content"], follow_redirects=True)
            history.files.append((file, content.content if content.is_success else b""))

    def get(self, path: str) -> Json | None:
        """An answer, None when there is none now."""
        try:
            answer = self._http.get(path)
        except httpx.TransportError:
            return None
        found: Json | None = answer.json() if answer.is_success else None
        return found

    def _insist(self, path: str) -> Json | None:
        for _ in range(20):
            if (found := self.get(path)) is not None:
                return found
            time.sleep(LOOK_SECONDS)
        return None


class Watcher(threading.Thread):
    """Looks at all jobs again and again, and lets the user change their mind."""

    def __init__(self, client: Client, histories: list[JobHistory], seed: int) -> None:
        super().__init__(name="watcher", daemon=True)
        self._client = client
        self._histories = histories
        self._random = random.Random(seed)
        self._states: dict[str, str] = {}
        self._over = threading.Event()
        self._calm = threading.Event()

    def settle(self) -> None:
        """Change no mind any more; let what rests go on."""
        self._calm.set()

    def settled(self) -> bool:
        """Whether every job has ended."""
        return len(self._states) == len(self._histories) and all(s in TERMINAL for s in self._states.values())

    def stop(self) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            for history in self._histories:
                state = self._client.look(history)
                if state is not None:
                    self._states[history.job_id] = state
                    self._maybe_act(history, state)

    def _maybe_act(self, history: JobHistory, state: str) -> None:
        if state == "paused" and (self._calm.is_set() or self._random.random() < 0.5):
            self._act(history, "resume")
        elif not self._calm.is_set() and self._random.random() < 0.03:
            choices = {
                "queued": ["pause", "cancel"],
                "running": ["pause", "pause", "cancel"],
                "pausing": ["cancel"],
                "cancelled": ["retry", "retry"],
                "failed": ["retry"],
            }
            if state in choices:
                self._act(history, self._random.choice(choices[state]))

    def _act(self, history: JobHistory, action: str) -> None:
        self._client.act(history, action)
        self._states.pop(history.job_id)  # What was seen before may hold no more.


def spec(plan: Plan, dataset_id: str) -> Json:
    """The request of a job: tiny when it is really trained."""
    small = {"epochs": 1, "image_size": [64, 64], "batch_size": 2, "checkpoint_seconds": 0, "warmup_steps": 1}
    return {
        "name": plan.key,
        "dataset": {"id": dataset_id},
        **DETECTORS,
        "schedule": small,
        "preflight": {"force": True, "estimate": False},
        "exports": ["safetensors"],
        "metadata": plan.metadata,
    }


def archive() -> bytes:
    """A Pascal VOC data set of four images of 64 pixels with a square in each."""
    packed = io.BytesIO()
    generator = np.random.default_rng(0)
    with zipfile.ZipFile(packed, "w") as target:
        for number in range(4):
            pixels = generator.integers(0, 64, (64, 64, 3), dtype=np.uint8)
            pixels[16:48, 16:48] = 255
            image = io.BytesIO()
            Image.fromarray(pixels).save(image, "PNG")
            target.writestr(f"JPEGImages/{number}.png", image.getvalue())
            box = "<xmin>17</xmin><ymin>17</ymin><xmax>48</xmax><ymax>48</ymax>"
            target.writestr(
                f"Annotations/{number}.xml",
                "<annotation><size><width>64</width><height>64</height><depth>3</depth></size>"
                f"<object><name>square</name><difficult>0</difficult><bndbox>{box}</bndbox></object></annotation>",
            )
        target.writestr("ImageSets/Main/trainval.txt", "0\n1\n")
        target.writestr("ImageSets/Main/test.txt", "2\n3\n")
    return packed.getvalue()
