import { beforeEach } from 'vitest';
import { takeOutputs } from './process-outputs.ts';

beforeEach(({ onTestFailed, task }) => {
  takeOutputs();
  onTestFailed(() => {
    for (const output of takeOutputs()) console.error(`output of a process of "${task.name}":\n${output}`);
  });
});
