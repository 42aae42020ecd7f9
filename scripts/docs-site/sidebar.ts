/** A part of the sidebar. Pages are named by their paths in the repository; their titles are their first headings. */
export interface SidebarSection {
  readonly title: string;
  readonly isCollapsed?: boolean;
  readonly pages: readonly string[];
}

/** The pages of the documentation site, in the order of its sidebar. A test checks that no page of docs/ is missing. */
export const sidebar: readonly SidebarSection[] = [
  {
    title: 'Start',
    pages: ['README.md', 'docs/quick-start.md', 'docs/README.md', 'CHANGELOG.md'],
  },
  {
    title: 'Use',
    pages: [
      'docs/chat.md',
      'docs/api.md',
      'docs/batches.md',
      'docs/conversations.md',
      'docs/compatibility.md',
      'docs/bench.md',
      'docs/performance.md',
    ],
  },
  {
    title: 'Operate',
    pages: [
      'docs/configuration.md',
      'docs/operations.md',
      'docs/tls.md',
      'docs/runbooks.md',
      'docs/slow.md',
      'docs/models.md',
      'docs/models-file.md',
      'docs/keys.md',
      'docs/sign-in.md',
      'docs/response-cache.md',
      'docs/security.md',
      'docs/observability.md',
      'docs/metrics.md',
      'docs/scaling-out.md',
      'docs/migration.md',
    ],
  },
  {
    title: 'Platforms',
    pages: [
      'docs/platforms/compose.md',
      'docs/platforms/kubernetes.md',
      'docker/helm/llama-corral/README.md',
      'docs/platforms/runpod.md',
      'docs/platforms/runpod-worker.md',
      'docs/platforms/vast.md',
      'docs/platforms/lambda.md',
      'docs/platforms/fly.md',
      'docs/platforms/koyeb.md',
      'docs/platforms/modal.md',
      'docs/platforms/cloud-run.md',
      'docs/platforms/azure-container-apps.md',
    ],
  },
  {
    title: 'Develop',
    isCollapsed: true,
    pages: [
      'CONTRIBUTING.md',
      'docs/architecture.md',
      'docs/scheduler.md',
      'docs/resume.md',
      'docs/supervisor.md',
      'docs/upstream.md',
      'test/README.md',
      'docs/hardening.md',
      'docs/gpu-checks.md',
      'docs/release.md',
      'docs/licences.md',
      'SECURITY.md',
    ],
  },
];
