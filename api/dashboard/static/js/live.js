// What is new: one stream of hints a page, polling while there is none, and a banner that says so.
//
// <body data-stream="/jobs/stream" data-hints="jobs"> ; an element renews itself by hx-trigger="live:jobs from:body".
// A page without a stream may say <body data-poll>: `live:poll` comes every three seconds while anything in it is
// [data-unsettled], else four times a minute.
// A tab that nobody looks at gives its connection back: browsers allow a host only six of them.

const POLL_SECONDS = 5;
const UNSEEN_SECONDS = 60;

export function live(body = document.body) {
  const { stream, hints } = body.dataset;
  const names = hints ? hints.split(" ") : [];
  const banner = document.querySelector("[data-offline]");
  const heard = () => { known = new Date(); };
  let known = new Date();
  let source;
  let polling;
  let unseen;
  let over = !stream;

  const tell = (name) => body.dispatchEvent(new CustomEvent(`live:${name}`, { bubbles: false }));
  const tellAll = () => names.forEach(tell);

  function connect() {
    if (over || source) return;
    source = new EventSource(stream);
    source.addEventListener("open", () => { heard(); found(); });
    source.addEventListener("error", () => {
      // The browser tries again by itself unless the answer was no stream at all.
      if (source?.readyState === EventSource.CLOSED) { source = undefined; }
      lost();
    });
    for (const name of names) source.addEventListener(name, () => { heard(); tell(name); });
    source.addEventListener("end", () => { over = true; disconnect(); found(); tellAll(); });
  }

  function disconnect() {
    source?.close();
    source = undefined;
  }

  function lost() {
    if (polling) return;
    polling = setInterval(ask, POLL_SECONDS * 1000);
    // A stream that comes back at once, as after a restart, is not worth a word.
    setTimeout(() => { if (polling) say(true); }, 1500);
  }

  function ask() {
    connect();
    tellAll();
    // Without a stream, any answer says that the service is back.
    if (over) fetch("/healthz").then((answer) => { if (answer.ok) found(); }, () => {});
  }

  function found() {
    clearInterval(polling);
    if (polling) { tellAll(); tell("poll"); } // What happened meanwhile was told to nobody.
    polling = undefined;
    say(false);
  }

  function say(isLost) {
    if (!banner) return;
    banner.toggleAttribute("data-lost", isLost);
    banner.querySelector("p").hidden = !isLost;
    if (isLost) banner.querySelector("[data-known]").textContent = known.toLocaleTimeString("en-GB");
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(unseen);
    if (document.hidden) {
      unseen = setTimeout(() => { disconnect(); clearInterval(polling); polling = undefined; }, UNSEEN_SECONDS * 1000);
    } else if (!source && !over) {
      connect();
      tellAll();
    }
  });
  // A page kept for the way back is not kept while its connection is open.
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => { if (event.persisted) { connect(); tellAll(); } });
  addEventListener("offline", lost);
  addEventListener("online", () => { disconnect(); connect(); });
  body.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) { heard(); if (over) found(); } });
  body.addEventListener("htmx:sendError", () => { lost(); });
  connect();

  let ticks = 0;
  if ("poll" in body.dataset) {
    setInterval(() => {
      ticks += 1;
      if (!document.hidden && (ticks % 5 === 0 || document.querySelector("[data-unsettled]"))) tell("poll");
    }, 3000);
  }
}
