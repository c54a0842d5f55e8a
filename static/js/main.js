/** The page: makes its parts and joins them. */

import * as api from './api.js';
import { byId } from './dom.js';
import { onChosen, onDropped } from './drop.js';
import { Enrol } from './enrol.js';
import { Identities } from './identities.js';
import { onKeys } from './keys.js';
import { watchIdentity } from './person.js';
import { Stage } from './stage.js';
import { Thresholds } from './thresholds.js';
import { Verify } from './verify.js';

const identities = new Identities();
const thresholds = new Thresholds(() => { verify.redecide(); });
const stage = new Stage({
  onSeen: (seen) => { enrol.seen(seen); },
  onStop: () => { enrol.cancel('The camera stopped; nothing was stored.'); },
});
const verify = new Verify(stage, thresholds);
const enrol = new Enrol(stage, () => { identities.reload(); });

byId('person-form').addEventListener('submit', (event) => {
  event.preventDefault();
  verify.frame();
});
byId('enrol').addEventListener('click', () => { enrol.fromCamera(); });
onChosen(byId('enrol-files'), (files) => { enrol.files(files); });
onChosen(byId('verify-file'), ([file]) => { verify.file(file); });
onDropped(byId('drop'), (files) => { enrol.files(files); });
onKeys({
  v: () => { verify.frame(); },
  q: () => { if (stage.root.dataset.state !== 'off') stage.stop(); },
});
watchIdentity();
identities.reload();
showModel();

async function showModel() {
  try {
    const model = await api.model();
    thresholds.show(model);
    const next = model.next ? `, changing to ${model.next.name} ${model.next.version}` : '';
    byId('model-name').textContent = `Model ${model.name} ${model.version}${next}`;
    byId('model-name').title = `${model.runtime}, fingerprint ${model.fingerprint}`;
  } catch (error) {
    byId('model-name').textContent = 'The model is not known';
    byId('thresholds').textContent = error.message;
  }
}
