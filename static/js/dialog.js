/** One question before something is changed or erased. */

import { make } from './dom.js';
import { t } from './language.js';
import { problemInWords } from './words.js';

/**
 * Asks; Escape and Cancel mean no.
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.text
 * @param {string} question.action What the button says that means yes.
 * @param {boolean} [question.danger] Whether something is lost by it.
 * @param {{label: string, value?: string, must?: string, suggestions?: string[]}} [question.field]
 *   A text that is asked for; with `must`, the only one that is taken.
 * @param {(value: string) => Promise<any>} question.act What yes does; if it fails, the
 *   dialog says so and stays.
 * @returns {Promise<boolean>} Whether it was done.
 */
export function ask({ title, text, action, danger, field, act }) {
  const input = field && make('input', {
    type: 'text', maxlength: '128', autocapitalize: 'off', autocomplete: 'off', spellcheck: 'false',
    list: field.suggestions && 'dialog-suggestions', value: field.value ?? '',
  });
  const fault = make('p', { class: 'field-error', role: 'alert' });
  const no = make('button', { type: 'button', class: 'button' }, t('cancel'));
  const yes = make('button', { type: 'submit', class: danger ? 'button danger' : 'button primary' }, action);
  const form = make(
    'form', { novalidate: true },
    input && make('label', { class: 'field' }, make('span', {}, field.label), input),
    field?.suggestions && make('datalist', { id: 'dialog-suggestions' }, ...field.suggestions.map((value) => make('option', { value }))),
    fault,
    make('div', { class: 'row end' }, no, yes),
  );
  const dialog = make(
    'dialog', { 'aria-labelledby': 'dialog-title', 'aria-describedby': 'dialog-text' },
    make('h2', { id: 'dialog-title' }, title), make('p', { id: 'dialog-text' }, text), form,
  );
  document.body.append(dialog);
  const check = () => {
    const value = input?.value.trim();
    yes.disabled = Boolean(input) && (field.must ? value !== field.must : !value || value === field.value);
  };
  return new Promise((resolve) => {
    let done = false;
    input?.addEventListener('input', check);
    no.addEventListener('click', () => dialog.close());
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (yes.disabled) return;
      yes.disabled = true;
      try {
        await act(input?.value.trim());
        done = true;
        dialog.close();
      } catch (error) {
        fault.textContent = problemInWords(error);
        check();
      }
    });
    dialog.addEventListener('close', () => { dialog.remove(); resolve(done); });
    check();
    dialog.showModal();
    (input ?? no).focus();
    input?.select();
  });
}
