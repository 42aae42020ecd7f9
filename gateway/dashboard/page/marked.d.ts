/** What the gateway serves under this name comes from the package. */
export { Lexer } from 'marked';
