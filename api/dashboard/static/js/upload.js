// Sends a file in parts: several at once, each tried again, paused and taken up where it was, after a reload as well.

const AT_ONCE = 3;
const TRIES = 6;
const TYPES = [
  [/\.zip$/i, "application/zip"],
  [/\.(tar\.gz|tgz|gz)$/i, "application/gzip"],
  [/\.(tar\.zst|tzst|zst)$/i, "application/zstd"],
  [/\.tar$/i, "application/x-tar"],
];

export function mediaType(name) {
  return TYPES.find(([pattern]) => pattern.test(name))?.[1];
}

// What the server refused, in its own words.
export class Refused extends Error {
  constructor(problem) {
    super([problem.detail, problem.hint].filter(Boolean).join(" "));
    this.problem = problem;
  }
}

export async function call(method, path, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Refused(answer);
  return answer;
}

export class Upload {
  constructor(file, name, tell) {
    Object.assign(this, { file, name, tell, requests: new Set(), sent: new Map(), paused: false, over: false });
    this.key = `upload:${name}:${file.name}:${file.size}:${file.lastModified}`;
  }

  // Resolves to the finished upload; rejects with Refused, or when it was aborted.
  async run() {
    this.upload = await this.find();
    localStorage.setItem(this.key, this.upload.id);
    for (const part of this.upload.received) this.sent.set(part.number, part.size);
    this.todo = [];
    for (let number = 1; number <= this.upload.parts; number += 1) if (!this.sent.has(number)) this.todo.push(number);
    this.progress();
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.lane()));
    if (this.over) throw new DOMException("aborted", "AbortError");
    this.tell({ state: "checking the whole" });
    const done = await call("POST", `/v1/uploads/${this.upload.id}/complete`);
    localStorage.removeItem(this.key);
    return done;
  }

  async find() {
    const known = localStorage.getItem(this.key);
    if (known) {
      const found = await call("GET", `/v1/uploads/${known}`).catch(() => null);
      if (found?.state === "open") return found;
    }
    const { file, name } = this;
    return call("POST", "/v1/uploads", { name, size: file.size, media_type: mediaType(file.name) });
  }

  async lane() {
    for (;;) {
      await this.unpaused();
      const number = this.todo.shift();
      if (number === undefined || this.over) return;
      await this.part(number);
    }
  }

  async part(number) {
    const start = (number - 1) * this.upload.part_size;
    const bytes = this.file.slice(start, start + this.upload.part_size);
    for (let tries = 1; ; tries += 1) {
      try {
        await this.put(number, bytes);
        this.sent.set(number, bytes.size);
        this.progress();
        return;
      } catch (error) {
        this.sent.delete(number);
        if (this.over) return;
        if (this.paused) { await this.unpaused(); tries = 0; continue; }
        if (error instanceof Refused && error.problem.status < 500) { this.end(); throw error; }
        if (tries >= TRIES) { this.end(); throw error; }
        this.tell({ state: "the service does not answer, trying again" });
        await new Promise((resolve) => { setTimeout(resolve, 500 * 2 ** tries); });
      }
    }
  }

  // fetch() cannot say how much of a body is gone; the older way can.
  put(number, bytes) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.requests.add(request);
      request.open("PUT", `/v1/uploads/${this.upload.id}/parts/${number}`);
      request.setRequestHeader("content-type", "application/octet-stream");
      request.upload.onprogress = (event) => { this.sent.set(number, Math.min(event.loaded, bytes.size)); this.progress(); };
      request.onloadend = () => {
        this.requests.delete(request);
        if (request.status === 200) return resolve();
        try { return reject(new Refused(JSON.parse(request.responseText))); } catch { return reject(new Error("no answer")); }
      };
      request.send(bytes);
    });
  }

  progress() {
    const sent = [...this.sent.values()].reduce((sum, size) => sum + size, 0);
    this.tell({ state: this.paused ? "paused" : "sending", sent, size: this.file.size });
  }

  pause() {
    this.paused = true;
    for (const request of this.requests) request.abort();
    this.progress();
  }

  resume() {
    this.paused = false;
    this.wake?.();
    this.progress();
  }

  async unpaused() {
    while (this.paused && !this.over) {
      this.waiting ??= new Promise((resolve) => { this.wake = resolve; });
      await this.waiting;
      this.waiting = undefined;
    }
  }

  end() {
    this.over = true;
    this.wake?.();
    for (const request of this.requests) request.abort();
  }

  async abort() {
    this.end();
    localStorage.removeItem(this.key);
    if (this.upload) await call("DELETE", `/v1/uploads/${this.upload.id}`).catch(() => null);
  }
}
