import { html } from 'hono/html';

export interface PageLayoutOptions {
  readonly title: string;
  /** Of the assets. */
  readonly version: string;
  readonly script: string;
  readonly styles?: readonly string[];
  readonly body: ReturnType<typeof html>;
}

/** A whole page. Addresses are relative, so that it works below any path that a proxy puts before ours. */
export function pageLayout({ title, version, script, styles = [], body }: PageLayoutOptions) {
  const asset = (name: string) => `dashboard/assets/${version}/${name}`;
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    <title>${title}</title>
    <link rel="icon" href="${asset('icon.svg')}" type="image/svg+xml">
    ${[...styles, 'style.css'].map((name) => html`<link rel="stylesheet" href="${asset(name)}">`)}
    <script type="module" src="${asset(script)}"></script>
  </head>
  ${body}
</html>
`;
}
