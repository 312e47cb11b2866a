// Keeps an open page up to date. When the server says that something changed,
// the page is fetched again and its <main> swapped in, unless somebody is
// typing or reading a selection there. Without this script every page works,
// as it was when it was loaded.
(function () {
  "use strict";
  var main = document.getElementById("main");
  var pulse = document.getElementById("pulse");
  var busy = false, again = false, last = 0;

  function show(live) {
    pulse.hidden = false;
    pulse.className = live ? "pulse on" : "pulse off";
    pulse.title = live ? "Up to date by itself" : "No connection: this may be old";
  }

  function inUse() {
    var a = document.activeElement;
    if (a && main.contains(a) && /^(INPUT|TEXTAREA|SELECT)$/.test(a.tagName)) return true;
    var s = window.getSelection();
    return !!s && !s.isCollapsed && main.contains(s.anchorNode);
  }

  function openIds() {
    return Array.prototype.map.call(main.querySelectorAll("details[open][id]"), function (d) { return d.id; });
  }

  function refresh() {
    if (document.hidden) { again = true; return; }
    if (busy || inUse()) { again = true; return; }
    busy = true; again = false; last = Date.now();
    var url = new URL(location.href);
    url.searchParams.delete("said");
    fetch(url, { headers: { "Accept": "text/html", "X-Live": "1" }, credentials: "same-origin" }).then(function (r) {
      if (!r.ok || r.redirected) throw new Error("status " + r.status);
      return r.text();
    }).then(function (html) {
      var next = new DOMParser().parseFromString(html, "text/html");
      var fresh = next.getElementById("main");
      if (!fresh || inUse()) return;
      var open = openIds(), focus = document.activeElement;
      var mark = focus && main.contains(focus) ? focus.getAttribute("href") || focus.value : null;
      main.replaceChildren.apply(main, Array.prototype.slice.call(fresh.childNodes));
      open.forEach(function (id) { var d = document.getElementById(id); if (d) d.open = true; });
      if (mark) {
        var same = Array.prototype.find.call(main.querySelectorAll("a,button"), function (e) { return e.getAttribute("href") === mark || e.value === mark; });
        if (same) same.focus({ preventScroll: true });
      }
      var clock = next.getElementById("clock");
      if (clock) document.getElementById("clock").textContent = clock.textContent;
      document.title = next.title;
      show(true);
    }).catch(function () { show(false); }).then(function () { busy = false; });
  }

  // A search, a form and a frame are not swapped under the reader.
  var still = /^\/(messages|digests)/.test(location.pathname);
  if (window.EventSource && !still) {
    var source = new EventSource("/live");
    source.addEventListener("change", refresh);
    source.onopen = function () { show(true); };
    source.onerror = function () { show(false); };
    setInterval(function () { if (again || Date.now() - last > 20000) refresh(); }, 2000);
    document.addEventListener("visibilitychange", function () { if (!document.hidden && again) refresh(); });
  }

  // Sorting a mail in the list needs one choice only.
  document.addEventListener("change", function (e) {
    if (e.target.matches("select.auto")) e.target.form.requestSubmit();
  });
  document.documentElement.className = "js";

  // A digest's frame is as tall as what it shows.
  function fit(frame) {
    var d = frame.contentDocument;
    if (d && d.body) frame.style.height = d.body.offsetHeight + 2 + "px";
  }
  Array.prototype.forEach.call(document.querySelectorAll("iframe.digest"), function (frame) {
    frame.addEventListener("load", function () { fit(frame); });
    window.addEventListener("resize", function () { frame.style.height = ""; fit(frame); });
    fit(frame);
  });

  // What happens at once should not happen twice.
  document.addEventListener("submit", function (e) {
    var f = e.target;
    if (f.dataset.sent) { e.preventDefault(); return; }
    f.dataset.sent = "1";
  });
})();
