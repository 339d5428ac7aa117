// What was chosen last on this device, until the user's preferences have been read.
(function () {
  try {
    var theme = localStorage.getItem("voicecore.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch (_) {
    // Storage may be forbidden: the device's own theme it is.
  }
})();
