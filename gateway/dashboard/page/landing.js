for (const element of document.querySelectorAll('.origin')) {
  element.textContent = location.origin + location.pathname.replace(/\/$/, '');
}
