// The service worker, from the page's side.

const TOLD = 2000; // milliseconds in which a service worker that could not be installed has said why

/**
 * Have the page kept on this device, and every file checked, before anything else is loaded.
 * @param {(share: number) => void} progress 0..1
 * @returns {Promise<{kept: boolean, changed: string | null}>} `changed`: the file that is not the one it should be
 */
export async function keep(progress) {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return { kept: false, changed: null }; // a private window, or an address without encryption
  let changed = null;
  const told = new Promise((resolve) =>
    serviceWorker.addEventListener("message", ({ data }) => {
      if (data.changed) resolve((changed = data.changed));
      if (data.kept) progress(data.kept / data.of);
    }),
  );
  serviceWorker.startMessages();
  try {
    const registration = await serviceWorker.register("./sw.js", { updateViaCache: "none" });
    const kept = await settled(registration);
    if (!kept) await Promise.race([told, new Promise((resolve) => setTimeout(resolve, TOLD))]);
    return { kept, changed: kept ? null : changed };
  } catch (error) {
    if (serviceWorker.controller) return { kept: true, changed: null }; // offline: the one at hand goes on
    if (changed || error.name !== "SecurityError") return { kept: false, changed };
    throw error;
  }
}

/** Whether a service worker answers for this page, once the one that is being installed has come or failed. */
function settled(registration) {
  const { serviceWorker } = navigator;
  return new Promise((resolve) => {
    const look = () => {
      if (serviceWorker.controller) resolve(true);
    };
    serviceWorker.addEventListener("controllerchange", look);
    const coming = registration.installing;
    coming?.addEventListener("statechange", () => coming.state === "redundant" && resolve(!!serviceWorker.controller));
    look();
    // A page that was loaded past the service worker, as by Shift and Reload, gets none before it is loaded again.
    if (!coming && registration.active?.state === "activated") resolve(true);
  });
}
