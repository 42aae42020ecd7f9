import { createCopyButton } from './copy-button.js';

for (const element of document.querySelectorAll('.origin')) {
  element.textContent = location.origin + location.pathname.replace(/\/$/, '');
}

for (const example of document.querySelectorAll('.example')) {
  const [title, code] = [example.querySelector('h2'), example.querySelector('code')];
  title?.after(createCopyButton(`Copy: ${title.textContent}`, () => code?.textContent ?? ''));
}
