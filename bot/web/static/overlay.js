// The browser source: shows what is on air, for the time that the server gives, and nothing else.
// OBS ships an old browser: one classic script, ES2018, no modules.

(function () {
  "use strict";

  var SILENCE = 15000;
  var LONGEST_PAUSE = 2000;
  var CHARTIME = 60;
  var FADE = 150;

  var query = new URLSearchParams(location.search);
  var body = document.body;
  var node = function (id) { return document.getElementById(id); };
  var number = function (name, otherwise) {
    var value = parseFloat(query.get(name));
    return isFinite(value) ? value : otherwise;
  };
  var chosen = function (name) { return query.has(name) && !/^(0|false|off|no)$/i.test(query.get(name)); };

  // -- how it looks: URL parameters --------------------------------------------------------------------------------

  function color(text) {
    return /^[0-9a-f]{3,8}$/i.test(text) ? "#" + text : text;
  }

  function place(text) {
    var words = text.toLowerCase().split(/[\s,_-]+/);
    ["left", "center", "right"].forEach(function (x) { if (words.indexOf(x) >= 0) body.dataset.x = x; });
    ["top", "middle", "bottom"].forEach(function (y) { if (words.indexOf(y) >= 0) body.dataset.y = y; });
    if (words.length === 1 && words[0] === "center") body.dataset.y = "middle";
  }

  function stroke(text) {
    var parts = text.split(/[\s,]+/);
    body.classList.add("stroked");
    document.documentElement.style.setProperty("--stroke-width", (parseFloat(parts[0]) || 2) + "px");
    document.documentElement.style.setProperty("--stroke-color", color(parts[1] || "000"));
  }

  function fromBase64(text) {
    var bytes = atob(text.replace(/-/g, "+").replace(/_/g, "/").replace(/ /g, "+"));
    return decodeURIComponent(Array.from(bytes, function (c) { return "%" + ("0" + c.charCodeAt(0).toString(16)).slice(-2); }).join(""));
  }

  /** Own rules without a <style> element, which the page's policy forbids. */
  function addCss(css) {
    if ("adoptedStyleSheets" in document && "replaceSync" in CSSStyleSheet.prototype) {
      var sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      document.adoptedStyleSheets = Array.from(document.adoptedStyleSheets).concat(sheet);
      return;
    }
    topRules(css).forEach(function (rule) {
      var old = document.styleSheets[0];
      try { old.insertRule(rule, old.cssRules.length); } catch (error) { debug("css: " + rule); }
    });
  }

  function topRules(css) {
    var rules = [], depth = 0, start = 0;
    for (var i = 0; i < css.length; i++) {
      if (css[i] === "{") depth++;
      if (css[i] === "}" && --depth === 0) {
        rules.push(css.slice(start, i + 1).trim());
        start = i + 1;
      }
    }
    return rules;
  }

  function dress() {
    var root = document.documentElement.style;
    root.setProperty("--scale", String(Math.min(8, Math.max(0.25, number("scale", 1)))));
    if (query.get("font")) root.setProperty("--font", '"' + query.get("font").replace(/["\\;{}]/g, "") + '", sans-serif');
    if (query.get("fontcolor")) root.setProperty("--color", color(query.get("fontcolor")));
    if (query.get("chroma")) body.style.background = color(query.get("chroma"));
    if (query.get("stroke")) stroke(query.get("stroke"));
    if (chosen("transparent")) body.classList.add("bare");
    place(query.get("position") || "bottom-center");
    if (query.get("css")) addCss(query.get("css"));
    if (query.get("cssb64")) {
      try { addCss(fromBase64(query.get("cssb64"))); } catch (error) { debug("cssb64: " + error); }
    }
  }

  var lines = [];

  /** Status is for people who look for a fault, never for the audience. */
  function debug(text) {
    if (!chosen("debug")) return;
    lines = lines.concat(new Date().toTimeString().slice(0, 8) + " " + text).slice(-8);
    node("debug").hidden = false;
    node("debug").textContent = lines.join("\n");
  }

  // -- what is on air ----------------------------------------------------------------------------------------------

  var current = null; // id of the reply that is shown
  var typing = null, hiding = null, removing = null;

  function characters(text) {
    if (window.Intl && Intl.Segmenter) {
      return Array.from(new Intl.Segmenter("zh", { granularity: "grapheme" }).segment(text), function (part) { return part.segment; });
    }
    return Array.from(text);
  }

  function write(id, text) {
    node(id).textContent = text || "";
  }

  function avatar(reply) {
    var root = node("avatar");
    root.textContent = "";
    if (reply.avatar) {
      var image = document.createElement("img");
      image.alt = "";
      image.onerror = function () { root.textContent = initial(reply); };
      image.src = reply.avatar + "?token=" + encodeURIComponent(query.get("token") || "");
      root.appendChild(image);
    } else {
      root.textContent = initial(reply);
    }
  }

  function initial(reply) {
    return characters(reply.character || "")[0] || "";
  }

  function labelOf(reply) {
    if (!query.has("label")) return reply.label || "";
    return chosen("label") ? (/^(1|true|on|yes)$/i.test(query.get("label")) ? reply.label || "AI" : query.get("label")) : "";
  }

  function show(reply, remaining, duration) {
    if (query.has("hideafter")) {
      var own = number("hideafter", duration);
      if (own > 0) remaining = Math.min(remaining, own - (duration - remaining));
    }
    if (!(remaining > 0)) return clear();
    clearTimeout(hiding);
    clearTimeout(removing);
    hiding = setTimeout(clear, remaining * 1000);
    if (current === reply.id) return; // connected anew while it is still shown: only the time counts
    current = reply.id;
    avatar(reply);
    write("character", reply.character);
    write("label", labelOf(reply));
    write("viewer", reply.viewer);
    write("question", reply.question);
    node("quote").hidden = !reply.question;
    node("reply").hidden = false;
    node("reply").dataset.id = reply.id;
    void node("reply").offsetWidth; // so that the change of class below is seen as one and fades
    node("reply").classList.add("on");
    node("text").classList.toggle("long", reply.text.length > 80);
    type(characters(reply.text), duration, duration - remaining);
    debug("show " + reply.id);
  }

  /** All words are laid out at once and uncovered one by one, so that nothing moves while they appear. */
  function type(words, duration, elapsed) {
    clearTimeout(typing);
    var each = Math.min(number("chartime", CHARTIME), (duration * 500) / Math.max(1, words.length));
    var began = Date.now() - Math.max(0, elapsed) * 1000;
    (function next() {
      var n = each > 0 ? Math.min(words.length, Math.floor((Date.now() - began) / each) + 1) : words.length;
      write("said", words.slice(0, n).join(""));
      write("unsaid", words.slice(n).join(""));
      if (n < words.length) typing = setTimeout(next, each);
    })();
  }

  function clear() {
    clearTimeout(typing);
    clearTimeout(hiding);
    clearTimeout(removing);
    if (current === null) return;
    debug("clear " + current);
    current = null;
    node("reply").classList.remove("on");
    removing = setTimeout(gone, FADE);
  }

  function gone() {
    node("reply").hidden = true;
    ["character", "label", "viewer", "question", "said", "unsaid", "avatar"].forEach(function (id) { write(id, ""); });
  }

  // -- the feed ----------------------------------------------------------------------------------------------------

  var socket = null, silence = null, attempt = 0;

  function connect() {
    var scheme = location.protocol === "https:" ? "wss:" : "ws:";
    var mine = new WebSocket(scheme + "//" + location.host + "/overlay/feed?token=" + encodeURIComponent(query.get("token") || ""));
    socket = mine;
    var first = true;
    listen();
    mine.onmessage = function (message) {
      if (socket !== mine) return;
      attempt = 0;
      listen();
      receive(JSON.parse(message.data), first);
      first = false;
    };
    mine.onclose = function () { if (socket === mine) again(); };
  }

  function receive(event, first) {
    if (event.event === "show") show(event.reply, pick(event.remaining, event.duration, 8), pick(event.duration, event.remaining, 8));
    else if (event.event === "clear" || first) clear();
    else if (event.event === "hide" && event.id === current) clear();
  }

  function pick(a, b, c) {
    return typeof a === "number" ? a : typeof b === "number" ? b : c;
  }

  function listen() {
    clearTimeout(silence);
    silence = setTimeout(again, SILENCE);
  }

  /** For ever, with a little chance in the pause so that many sources do not come back in one moment. */
  function again() {
    clearTimeout(silence);
    var old = socket;
    socket = null;
    if (old) old.close();
    attempt++;
    var pause = Math.min(LONGEST_PAUSE, 100 * Math.pow(2, attempt)) * (0.5 + Math.random() / 2);
    debug("connection lost, again in " + Math.round(pause) + " ms");
    setTimeout(connect, pause);
  }

  function preview() {
    var reply = { id: "preview", character: "小禾", viewer: "阿强", question: "主播晚上好，今天玩什么？", label: "AI 生成", text: "晚上好阿强！今天带大家去钓鱼，钓不到就直播啃面包。" };
    (function round() {
      show(reply, 12, 12);
      setTimeout(round, 13000);
    })();
  }

  dress();
  if (chosen("preview")) preview();
  else connect();
})();
