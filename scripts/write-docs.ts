/**
 * Writes all generated files: pages of docs/, the Grafana dashboard, the OpenAPI document, files of the Helm chart;
 * `npm run docs`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiDocumentText } from './api-reference/api-document.ts';
import { compatibilityPage } from './compatibility/compatibility-page.ts';
import { configurationPage } from './configuration-page.ts';
import { dashboardFile } from './grafana/dashboard.ts';
import { chartFile, chartPage } from './helm/chart-page.ts';
import { metricsPage } from './metrics-page.ts';
import { modelsFilePage } from './models-file-page.ts';
import { projectFolder } from './project-folders.ts';
import { licencesPage } from './supply/licences-page.ts';

writeFileSync(join(projectFolder, 'docs/configuration.md'), configurationPage());
writeFileSync(join(projectFolder, 'docs/compatibility.md'), compatibilityPage());
writeFileSync(join(projectFolder, 'docs/metrics.md'), metricsPage());
writeFileSync(join(projectFolder, 'docs/models-file.md'), modelsFilePage());
writeFileSync(join(projectFolder, 'docs/licences.md'), licencesPage());
writeFileSync(join(projectFolder, 'docker/grafana/llama-corral.json'), dashboardFile());
writeFileSync(join(projectFolder, 'docker/helm/llama-corral/Chart.yaml'), chartFile());
writeFileSync(join(projectFolder, 'docker/helm/llama-corral/README.md'), chartPage());
writeFileSync(join(projectFolder, 'gateway/reference/openapi.json'), apiDocumentText());
