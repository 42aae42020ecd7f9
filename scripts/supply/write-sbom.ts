/** Writes the SBOM of the production packages to sbom.cdx.json; `npm run sbom`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../project-folders.ts';
import { sbomText } from './sbom.ts';

const file = join(projectFolder, 'sbom.cdx.json');
writeFileSync(file, sbomText());
console.error(`written: ${file}`);
