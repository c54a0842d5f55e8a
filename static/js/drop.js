/** Files by choosing or by dropping. */

/**
 * Hands over chosen files; the same file can be chosen again.
 * @param {HTMLInputElement} input
 * @param {(files: File[]) => void} onFiles
 */
export function onChosen(input, onFiles) {
  input.addEventListener('change', () => {
    const files = [...input.files];
    input.value = '';
    if (files.length) onFiles(files);
  });
}

/**
 * Hands over files dropped on an element.
 * @param {HTMLElement} zone
 * @param {(files: File[]) => void} onFiles
 */
export function onDropped(zone, onFiles) {
  const over = (event) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    zone.dataset.over = 'true';
  };
  zone.addEventListener('dragenter', over);
  zone.addEventListener('dragover', over);
  zone.addEventListener('dragleave', () => { delete zone.dataset.over; });
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    onFiles([...event.dataTransfer.files]);
  });
  // A file dropped beside the zone would otherwise replace the page.
  for (const name of ['dragover', 'drop']) {
    document.addEventListener(name, (event) => { event.preventDefault(); });
  }
}
