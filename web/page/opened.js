// Not a module: it is there, too, where the browser gives none, as to a page that is opened as a file.

addEventListener(
  "error",
  ({ target }) => {
    if (!(target instanceof HTMLScriptElement)) return;
    const say = () => {
      const alert = document.getElementById("alert");
      alert.textContent = location.protocol === "file:" ? alert.dataset.asFile : alert.dataset.notLoaded;
      document.getElementById("choose").hidden = true;
    };
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", say);
    else say();
  },
  true,
);
