/** What the gateway serves under this name comes from the package. */
export { default } from 'uplot';
