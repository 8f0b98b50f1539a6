// The page's first file: loads the module, and says so where it cannot.
try {
  const { default: init, run } = await import('./page.js');
  await init();
  run();
} catch (error) {
  const words = document.getElementById('boot-words');
  if (words) {
    words.textContent =
      'This browser cannot run Hotline. Use a current version of Chrome, Edge, Firefox or Safari, and load the page again. (' +
      error.message +
      ')';
  }
}
