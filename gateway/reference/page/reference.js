/** Shows the document of this very server; whoever logs in with a key here can try each operation. */
globalThis.SwaggerUIBundle({
  url: 'openapi.json',
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
