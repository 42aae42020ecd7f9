/** Adds the models PREFIX0 … to FILE, COUNT of them, one write each: FILE PREFIX COUNT */
import { addModel } from '../../../models/edit-registry.ts';
import { updateRegistryFile } from '../../../models/registry-file.ts';

const [file = '', prefix = '', count = ''] = process.argv.slice(2);
for (let n = 0; n < Number(count); n++) {
  const model = { id: `${prefix}${n}`, file: `${prefix}${n}.gguf` };
  await updateRegistryFile(file, '/models', (document) => addModel(document, model));
}
