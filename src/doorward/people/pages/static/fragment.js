// Moves the one-time token from the address (which no server sees beyond the #) into the form, and out of the history.
"use strict";
const token = decodeURIComponent(location.hash.slice(1));
if (token) {
  const holder = document.querySelector("[data-token]");
  holder.querySelector("input").value = token;
  holder.hidden = true;
  history.replaceState(null, "", location.pathname);
}
