import { html } from 'hono/html';

/** The document for people, shown by Swagger UI. Addresses are relative, as a proxy may put a path before ours. */
export const referencePage = html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    <title>API reference · llama-corral</title>
    <link rel="icon" href="favicon.ico" type="image/svg+xml">
    <link rel="stylesheet" href="docs/assets/swagger-ui.css">
    <script src="docs/assets/swagger-ui.js" defer></script>
    <script src="docs/assets/reference.js" type="module"></script>
  </head>
  <body>
    <main id="reference"></main>
    <noscript>This page needs JavaScript. What it shows is at <a href="openapi.json">openapi.json</a>.</noscript>
  </body>
</html>
`;
