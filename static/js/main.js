/** The page: its language, its places, and what all of them share. */

import { asking } from './asking.js';
import { byId, make } from './dom.js';
import { change, LANGUAGES, language, speak, t } from './language.js';
import { begin } from './places.js';
import { problemInWords } from './words.js';

await speak();
offerLanguages();
delete document.body.dataset.waiting;
begin(byId('main'));
showModel();
document.addEventListener('online-again', () => { if (!asking.model) showModel(); });
keepForOffline();

function offerLanguages() {
  const picker = byId('language');
  picker.replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) => make(
    'option', { value: code, lang: code, selected: code === language() }, name,
  )));
  picker.addEventListener('change', () => { change(picker.value); });
}

async function showModel() {
  const line = byId('model-name');
  try {
    const { name, version, next } = await asking.load();
    const changing = next ? t('model.changing', { name: next.name, version: next.version }) : '';
    line.textContent = [t('model.name', { name, version }), changing].filter(Boolean).join(' ');
  } catch (error) {
    line.textContent = t('model.unknown');
    line.title = problemInWords(error);
  }
}

/** Once all else is there: the first visit should not wait for later ones. */
function keepForOffline() {
  if (!navigator.serviceWorker) return;
  const register = () => navigator.serviceWorker.register('sw.js').catch(() => {});
  if (document.readyState === 'complete') register();
  else addEventListener('load', register);
}
