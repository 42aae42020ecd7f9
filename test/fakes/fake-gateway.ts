/** A gateway that answers its probe and nothing else: for claims about the supervisor alone. */
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('{}'));
server.listen(Number(process.env.PORT), process.env.HOST);
process.once('SIGTERM', () => server.close().closeAllConnections());
