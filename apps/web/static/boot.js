// The page's first file: starts the worker, which is the larger part and loads meanwhile, then the page's module; and says so where they
// cannot be loaded. What the worker says before the page listens is said again.
try {
  const early = [];
  const worker = new Worker('worker.js', { type: 'module' });
  worker.onmessage = worker.onerror = (event) => early.push(event);
  const { default: init, run } = await import('./page.js');
  await init();
  run(worker);
  worker.onmessage = worker.onerror = null;
  for (const event of early) worker.dispatchEvent(new event.constructor(event.type, event));
} catch (error) {
  const words = document.getElementById('boot-words');
  if (words) {
    words.textContent =
      'This browser cannot run Hotline. Use a current version of Chrome, Edge, Firefox or Safari, and load the page again. (' +
      error.message +
      ')';
  }
}
