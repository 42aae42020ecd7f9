/** Shows the document of this server. After a login with a key, each operation can be tried. */
const apiDocument = await (await fetch('openapi.json')).json();
/** Its "." says little to readers. */
const address = new URL('.', location.href).href.replace(/\/$/, '');
globalThis.SwaggerUIBundle({
  spec: { ...apiDocument, servers: [{ url: address }] },
  dom_id: '#reference',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  // Nobody outside is asked whether the document is valid.
  validatorUrl: null,
});

const wantsDark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', wantsDark.matches);
wantsDark.addEventListener('change', follow);
follow();
