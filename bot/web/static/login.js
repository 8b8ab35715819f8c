// Turns the token that the program printed into the page's cookie. It stands under the address
// of the page that was wanted, which comes next. A link with #token=… signs in by itself.

import { $, setText } from "./dom.js";
import { remember, remembered } from "./settings.js";
import { t, translatePage, useLanguage } from "./texts.js";

async function enter(token) {
  setText($("#wrong"), "");
  const button = $("#login button");
  button.disabled = true;
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch("/login", { method: "POST", headers, body: JSON.stringify({ token, label: $("#name").value.trim() }) });
    if (response.ok) {
      remember("name", $("#name").value.trim());
      return location.pathname === "/login" ? location.replace("/") : location.reload();
    }
    setText($("#wrong"), t(response.status === 429 ? "login.many" : "login.wrong"));
  } catch (error) {
    setText($("#wrong"), t("login.off"));
  }
  button.disabled = false;
  $("#token").select();
}

useLanguage(remembered("lang", navigator.language.startsWith("zh") ? "zh" : "en"));
translatePage();
document.title = t("login.title");
$("#name").value = remembered("name", "");
$("#login").addEventListener("submit", (event) => {
  event.preventDefault();
  enter($("#token").value.trim());
});
$("#login").hidden = false; // not before: the browser's own way to send a form would lose what was typed
$("#token").focus();

const given = new URLSearchParams(location.hash.slice(1)).get("token") || new URLSearchParams(location.search).get("token");
if (given) {
  history.replaceState(null, "", location.pathname); // the token is not to stay in the address bar
  enter(given);
}
