import { type AddressInfo, createServer } from 'node:net';

export interface WantedPort {
  /** The variable that sets it. */
  readonly name: string;
  readonly port: number;
  readonly host: string;
  /** This process already listens there. */
  readonly isOurs?: boolean;
}

/** Problems with the ports: one that two parts use, or one that is not available. */
export async function portProblems(wanted: readonly WantedPort[]): Promise<string[]> {
  const problems: string[] = [];
  for (const [index, one] of wanted.entries()) {
    const others = wanted.filter((other) => other !== one && other.port === one.port && one.port !== 0);
    const first = others.find((other) => wanted.indexOf(other) < index);
    if (first)
      problems.push(`${one.name} and ${first.name} are both ${one.port}; use a different port for each`);
    // The port may be held by a part of ours; the conflict is reported above.
    else if (!one.isOurs && others.length === 0) problems.push(...(await listenProblem(one)));
  }
  return problems;
}

/** A free port; 0 if there is none on that host. */
export function freePort(host: string): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(0));
    server.listen(0, host, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Only listening shows whether a port is available. */
function listenProblem({ name, port, host }: WantedPort): Promise<string[]> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve([`${name}: ${describeError(error, port, host)}`]),
    );
    server.listen(port, host, () => server.close(() => resolve([])));
  });
}

function describeError({ code, message }: NodeJS.ErrnoException, port: number, host: string): string {
  if (code === 'EADDRINUSE')
    return `port ${port} on ${host} is in use; stop the process that listens there or choose another port`;
  if (code === 'EACCES')
    return `port ${port} requires more privileges than this process has; choose a port above 1023`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HOST ${host} is not an address of this machine`;
  return `cannot listen on ${host}:${port} (${message})`;
}
