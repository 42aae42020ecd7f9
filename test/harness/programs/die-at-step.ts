/**
 * Preloaded with `--import`: kills its process just before the changing file operation number DIE_AT_STEP. If that is a write,
 * half of it is written before.
 */
import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

let left = Number(process.env.DIE_AT_STEP);

const probe = await fs.open(import.meta.filename);
const handles: FileHandle = Object.getPrototypeOf(probe);
await probe.close();

replaceWithDying(handles, ['chmod', 'chown', 'sync']);
replaceWithDying(fs, ['mkdir', 'rm', 'open', 'rename']);
const { writeFile } = handles;
handles.writeFile = async function writeHalf(this: FileHandle, data) {
  if (--left < 0) {
    await writeFile.call(this, String(data).slice(0, String(data).length / 2));
    process.kill(process.pid, 'SIGKILL');
  }
  return writeFile.call(this, data);
};
syncBuiltinESMExports();

function replaceWithDying<Owner extends object>(owner: Owner, names: readonly (keyof Owner)[]): void {
  for (const name of names) {
    const original = owner[name];
    if (typeof original !== 'function') throw new TypeError(`${String(name)} is not a function`);
    const replacement = function (this: unknown, ...args: unknown[]) {
      if (--left < 0) process.kill(process.pid, 'SIGKILL');
      return Reflect.apply(original, this, args);
    };
    Reflect.set(owner, name, replacement);
  }
}
