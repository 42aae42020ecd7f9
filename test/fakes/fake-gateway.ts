/** A gateway that responds only to its probe, for tests of the supervisor. */
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('{}'));
server.listen(Number(process.env.PORT), process.env.HOST, () => process.send?.({ kind: 'listening' }));
process.once('SIGTERM', () => server.close().closeAllConnections());
