/** How near to the end of the page a reader follows the text, pixels. */
const FOLLOW_DISTANCE = 120;

/**
 * Stays at the end of the page, unless the reader has left it.
 * @param {() => void} update
 */
export function follow(update) {
  const isAtEnd = scrollY + innerHeight > document.documentElement.scrollHeight - FOLLOW_DISTANCE;
  update();
  if (isAtEnd) scrollToEnd();
}

export const scrollToEnd = () => scrollTo(0, document.documentElement.scrollHeight);

/**
 * Calls `update` before the next frame, and less often if it is slow.
 * @param {() => void} update
 */
export function everyFrame(update) {
  let isDue = false;
  let notBefore = 0;
  const run = () => {
    const now = performance.now();
    if (now < notBefore) {
      requestAnimationFrame(run);
      return;
    }
    isDue = false;
    follow(update);
    notBefore = performance.now() + 4 * (performance.now() - now);
  };
  return () => {
    if (!isDue) requestAnimationFrame(run);
    isDue = true;
  };
}
