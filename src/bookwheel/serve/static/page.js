// Search as one types, answers as they are written, keys. The page works without any of it.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const field = $("#q");
  const typing = (target) => target.closest && target.closest("input, select, textarea");

  // -- search as one types: the page itself, of which only what was found is taken --------------------------------------
  const form = $('form.find[action="/search"]');
  const found = $("#found");
  if (form && found && field) {
    let waiting = 0, asking = null;
    const address = () => "/search?" + new URLSearchParams(new FormData(form));
    const show = async () => {
      if (asking) asking.abort();
      const mine = (asking = new AbortController());
      const wanted = address();
      try {
        const answer = await fetch(wanted, { signal: mine.signal, headers: { Accept: "text/html" } });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = $("#found", page) || $("main .empty", page);
        if (!fresh || mine !== asking) return;
        found.replaceChildren(...fresh.childNodes);
        document.title = page.title;
        history.replaceState(null, "", wanted);
      } catch (error) {
        if (error.name !== "AbortError") location.assign(wanted);
      }
    };
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(show, 180);
    });
  }

  // -- an answer as it is written -----------------------------------------------------------------------------------------
  const answer = $("#answer");
  const here = () => location.pathname + location.search;
  let source = null, shown = here();
  const ask = (asked) => {
    const query = new URLSearchParams(new FormData(asked));
    if (!query.get("q").trim()) return;
    if (source) source.close();
    const evidence = document.createElement("div"), draft = document.createElement("p");
    draft.className = "draft";
    draft.textContent = "Reading …";
    answer.replaceChildren(draft, evidence);
    let written = false;
    const stream = (source = new EventSource("/ask/stream?" + query));
    const on = (name, act) => stream.addEventListener(name, (event) => act(JSON.parse(event.data)));
    // What comes as HTML was made by the server's templates, which escape every text.
    const nodes = (html) => new DOMParser().parseFromString(html, "text/html").body.childNodes;
    on("found", (html) => evidence.replaceChildren(...nodes(html)));
    on("draft", (text) => {
      draft.textContent = written ? draft.textContent + text : text;
      written = true;
    });
    on("answer", (html) => {
      stream.close();
      answer.replaceChildren(...nodes(html));
      history.pushState(null, "", "/ask?" + query);
      shown = here();
      if (field) field.value = query.get("q");
      document.title = query.get("q") + " – bookwheel";
    });
    on("problem", (sentence) => {
      stream.close();
      draft.className = "warn";
      draft.textContent = sentence;
    });
    stream.onerror = () => {
      if (stream.readyState !== EventSource.CLOSED || source !== stream) stream.close();
      location.assign("/ask?" + query);  // the page says what went wrong
    };
  };
  if (answer && window.EventSource) {
    document.addEventListener("submit", (event) => {
      if (event.target.matches('form.find[action="/ask"]')) {
        event.preventDefault();
        ask(event.target);
      }
    });
    addEventListener("popstate", () => {
      if (here() !== shown) location.reload();  // the same within a page, as by its skip link, is no other answer
    });
  }

  // -- keys ---------------------------------------------------------------------------------------------------------------
  const move = (by) => {
    const links = [...document.querySelectorAll("a.go")];
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    const next = links[Math.min(Math.max(at + by, 0), links.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "center" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      if (event.key === "ArrowDown" && event.target === field && found) { event.preventDefault(); move(1); }
      return;
    }
    // A key that is held goes on in the next page, whose document nobody has read yet.
    if (event.repeat && event.key !== "j" && event.key !== "k") return;
    const button = $(`button[data-key="${CSS.escape(event.key)}"]`);
    if (button) button.click();
    if (event.key === "/" && field) { event.preventDefault(); field.focus(); field.select(); }
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
    if (event.key === "n" || event.key === "p") {
      const link = $(event.key === "n" ? "[rel=next]" : "[rel=prev]");
      if (link) link.click();
    }
  });
})();
